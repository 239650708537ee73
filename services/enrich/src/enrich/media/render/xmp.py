"""What renditions say of themselves: credit, creator, rights and origin as XMP, and nothing else.

A file that is passed on without its page still says whose it is. Places, serial numbers and whatever else the original carried
stay behind, since the packet is written anew.
Sources: IPTC Photo Metadata Standard 2023.2, XMP specification part 1, PLUS 2.0.1.
"""

from html import escape

from enrich.picture_index.embedded import Embedded
from shared.messages.digital_source import URI

MAX_TEXT = 500
"""Characters of each text: every rendition carries them."""
_PLUS_VALUES = "http://ns.useplus.org/ldf/vocab/"
_HEAD = (
    "<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?><x:xmpmeta xmlns:x='adobe:ns:meta/'>"
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description rdf:about=''"
    " xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/'"
    " xmlns:xmpRights='http://ns.adobe.com/xap/1.0/rights/' xmlns:plus='http://ns.useplus.org/ldf/xmp/1.0/'"
    " xmlns:Iptc4xmpExt='http://iptc.org/std/Iptc4xmpExt/2008-02-29/'>"
)
_END = "</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end='w'?>"


def packet(words: Embedded) -> bytes:
    """The XMP packet of a rendition; empty where there is nothing to say."""
    source = URI + words.digital_source if words.digital_source else ""
    mining = _PLUS_VALUES + words.data_mining if words.data_mining.startswith("DMI-") else ""
    parts = [
        _plain("photoshop:Credit", words.credit),
        _listed("dc:creator", "Seq", words.creator),
        _listed("dc:rights", "Alt", words.copyright),
        _listed("xmpRights:UsageTerms", "Alt", words.usage_terms),
        _plain("xmpRights:WebStatement", words.terms_url),
        _plain("Iptc4xmpExt:DigitalSourceType", source),
        _plain("plus:DataMining", mining),
        _licensor(words.licensor_url),
    ]
    said = "".join(parts)
    return f"{_HEAD}{said}{_END}".encode() if said else b""


def _plain(tag: str, value: str) -> str:
    return f"<{tag}>{_escaped(value)}</{tag}>" if value else ""


def _listed(tag: str, kind: str, value: str) -> str:
    language = " xml:lang='x-default'" if kind == "Alt" else ""
    item = f"<rdf:{kind}><rdf:li{language}>{_escaped(value)}</rdf:li></rdf:{kind}>"
    return f"<{tag}>{item}</{tag}>" if value else ""


def _licensor(url: str) -> str:
    if not url:
        return ""
    said = f"<plus:LicensorURL>{_escaped(url)}</plus:LicensorURL>"
    return f"<plus:Licensor><rdf:Seq><rdf:li rdf:parseType='Resource'>{said}</rdf:li></rdf:Seq></plus:Licensor>"


def _escaped(value: str) -> str:
    return escape("".join(character for character in value[:MAX_TEXT] if character >= " " or character in "\n\t"))
