CREATE TABLE IF NOT EXISTS prices (
    article TEXT PRIMARY KEY,
    cents BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT
);
CREATE TABLE IF NOT EXISTS order_lines (
    order_id BIGINT NOT NULL REFERENCES orders (id),
    position BIGINT NOT NULL,
    article TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (order_id, position)
);

INSERT INTO prices (article, cents) VALUES ('tea', 450), ('cup', 1200) ON CONFLICT DO NOTHING;
-- Nobody sells teapots any more: pricing order 13 fails.
INSERT INTO orders (id) VALUES (7), (13) ON CONFLICT DO NOTHING;
INSERT INTO order_lines (order_id, position, article, count)
VALUES (7, 0, 'tea', 2), (7, 1, 'cup', 1), (13, 0, 'teapot', 1)
ON CONFLICT DO NOTHING;

-- New orders are counted from 100.
UPDATE sqlite_sequence SET seq = 99 WHERE name = 'orders' AND seq < 99;
