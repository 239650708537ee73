-- Which update shows which picture: a picture is served while an update that shows it is visible.

CREATE TABLE publish.pictures (
    picture   text NOT NULL,
    update_id text NOT NULL,
    shown     boolean NOT NULL,
    paths     text[] NOT NULL,
    PRIMARY KEY (picture, update_id)
);
COMMENT ON TABLE publish.pictures IS 'Pictures of updates, by the folder of their renditions in the object store.';
COMMENT ON COLUMN publish.pictures.shown IS 'False once the update is out of sight or shows the picture no more; the row stays, for proofs of takedowns.';
COMMENT ON COLUMN publish.pictures.paths IS 'Of its renditions, within the object store.';
CREATE INDEX pictures_of_an_update ON publish.pictures (update_id);

INSERT INTO publish.pictures (picture, update_id, shown, paths)
SELECT coalesce(nullif(regexp_replace(path, '/?[^/]*$', ''), ''), path), update_id, true, array_agg(DISTINCT path)
FROM (
    SELECT u.update_id, substr(rendition ->> 'url', length('/media/') + 1) AS path
    FROM publish.updates u,
         json_array_elements(coalesce(convert_from(u.data, 'UTF8')::json -> 'media', '[]')) AS media,
         json_array_elements(coalesce(media -> 'renditions', '[]')) AS rendition
    WHERE u.visible AND position('/media/'::bytea IN u.data) > 0 AND rendition ->> 'url' LIKE '/media/%'
) AS renditions
GROUP BY 1, 2;
