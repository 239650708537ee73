"""`ingest watch`: folders into which an agency's FTP or a CMS drops files.

A worker claims a file by renaming it into a folder of its own, which only one of several workers can do. The file ends in
`done/` or in `rejected/`, there with a `.reason.json` beside it. While Kafka or Postgres is unavailable it goes back to
where it lay. Other workers put back the claims of one that died; a file that two workers died with is rejected.
"""
