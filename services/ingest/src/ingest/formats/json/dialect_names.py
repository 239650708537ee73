"""What houses whose JSON follows no standard call things, as data."""

from collections.abc import Mapping

from ingest.formats import vocabularies

WRAPPERS = (
    "data",
    "items",
    "item",
    "_items",
    "results",
    "entries",
    "articles",
    "article",
    "documents",
    "docs",
    "news",
    "stories",
    "story",
    "response",
    "hits",
    "payload",
    "content",
    "posts",
)

NAMES: Mapping[str, tuple[str, ...]] = {
    "guid": ("urn", "guid", "uri", "uuid", "id", "_id", "entry_id", "articleid", "article_id", "itemid", "item_id", "newsid", "news_id", "documentid", "storyid", "unique_id", "externalid", "identifier", "pk"),
    "version": ("version", "revision", "_current_version", "versionnumber", "rev"),
    "headline": ("headline", "title", "hedline", "heading", "rubrik", "titel", "titre", "titulo", "título", "titolo", "overskrift", "otsikko", "kop", "headlines"),
    "summary": ("teaser", "summary", "abstract", "description_text", "description", "lead", "intro", "standfirst", "ingress", "deck", "subtitle", "chapeau", "entradilla", "sommario", "preamble", "manchet", "subheadline", "dek", "excerpt"),
    "byline": ("byline", "by", "author_line", "authorline", "bylines", "firma", "signature"),
    "credit": ("creditline", "credit", "credits", "source", "provider", "infosource", "agency", "originator", "source_name", "publisher"),
    "copyright": ("copyrightnotice", "copyright", "copyrightholder", "rights"),
    "usage_terms": ("usageterms", "usage_terms", "usage", "restrictions"),
    "digital_source_type": ("digitalsourcetype", "digital_source_type"),
    "located": ("dateline", "located", "city", "placeline", "ort"),
    "slugline": ("slugline", "slug", "keyword_line"),
    "link": ("link", "url", "canonical", "canonical_url", "web_url", "weburl", "permalink", "href", "shareurl"),
    "language": ("language", "lang", "locale"),
    "version_created": ("version_created", "versioncreated", "updated", "updated_at", "updatedat", "modified", "modified_at", "date_modified", "datemodified", "lastmodified", "last_modified", "published", "published_at", "publishedat", "pubdate", "date_published", "datepublished", "date", "timestamp", "created", "created_at", "sent"),
    "first_created": ("firstcreated", "first_created", "firstpublished", "published", "published_at", "publishedat", "pubdate", "date_published", "created", "created_at", "createdat", "date_created"),
    "embargo_until": ("embargoed", "embargo", "embargo_until", "embargodate", "embargoeduntil", "publish_schedule", "sperrfrist", "hold_until"),
    "expires_at": ("expires", "expiry", "expiry_date", "expires_at", "valid_until"),
    "status": ("pubstatus", "pub_status", "publishingstatus", "status", "state"),
    "urgency": ("urgency", "priority", "prio", "prioritet"),
    "note": ("ednote", "ed_note", "editor_note", "editornote", "editors_note", "note", "notes", "notepad", "advisory", "desk_note", "internal_note", "ednotes"),
    "keywords": ("keywords", "tags", "keyword"),
    "subjects": ("categories", "category", "subject", "subjects", "topics", "anpa_category", "sections", "section", "genre", "genres", "products"),
    "people": ("person", "persons", "people"),
    "places": ("place", "places", "locations", "location"),
    "creators": ("authors", "author", "writers", "creator", "creators"),
    "media": ("associations", "media", "images", "pictures", "image", "picture", "photos", "photo", "featuremedia", "featured_image", "main_image", "thumbnail", "enclosures", "attachments", "multimedia", "lead_image"),
}  # fmt: skip
"""What houses call things, in small letters, the surest name first."""

BODIES = ("article_html", "body_html", "bodyhtml", "body_xhtml", "bodyxhtml", "content_html", "contenthtml", "html", "articlebody", "article_body", "body_html5", "body_richhtml5",
          "body", "content", "body_text", "bodytext", "body_nitf", "story_html", "story", "text", "fulltext", "full_text", "maintext", "artikel", "brødtext", "brödtext", "leipäteksti", "contenu", "cuerpo", "corpo", "texte", "texto", "testo", "data", "paragraphs", "blocks", "content_elements", "description_html")  # fmt: skip

HELD_STATES = (
    "draft",
    "in_progress",
    "routed",
    "fetched",
    "submitted",
    "ingested",
    "spiked",
    "scheduled",
    "future",
    "private",
    "pending",
    "hold",
    "held",
    "on_hold",
    "embargoed",
    "unpublished",
)
STATES = {
    **vocabularies.STATUSES, "published": "usable", "publish": "usable", "live": "usable", "final": "usable", "active": "usable", "approved": "usable", "ok": "usable", "corrected": "usable",
    "killed": "canceled", "recalled": "canceled", "deleted": "canceled", "withdrawn": "canceled", "unpublished": "withheld", **dict.fromkeys(HELD_STATES, "withheld"),
}  # fmt: skip
