"""The Redis read model, for sites, apps and partners that would rather read Redis than HTTP.

All keys begin with `slugline:` and `TOPIC_PREFIX` (empty by default). Votes of polls have others (`publish.polls.votes`).

| key | type | what it is |
| --- | --- | --- |
| `update:{id}` | string | the current revision of an update, as `/v1/updates/{id}` gives it; of one that is out of sight only its removal, as streams give it: `removal` and no text |
| `feed:{channel}` | sorted set | update ids of a channel (`news`, `source:…`, `tag:…`, `story:…`, `author:…`, `translations:…` of an update), scored by position: epoch × 2^40 + offset; the newest `PUBLISH_CACHE_FEED_LENGTH` |
| `watermark` | hash | `cursor`: everything up to this place of the log is here, empty before the first; `epoch` and `offset` apart; `at`: when, ISO 8601 |
| `generation` | string | there while the model is whole; absent after a flush until it is rebuilt |
| `state:{id}` | hash | the cache's own: revision, removal, position and feeds of an update |
| `changes` | pub/sub channel | one JSON for each change as it is made: `update_id`, `revision`, `kind`, `cursor` |

Writes are one Lua script for each batch, so a reader never sees a feed without its update. A revision is written only
where it is newer; a killed update's text is gone in the same script. Redis may be flushed at any time: the model is rebuilt
from the archive, then from the log.
"""
