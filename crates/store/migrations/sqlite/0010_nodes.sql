-- Nodes: processes of the program that share this database, each under an epoch that is given once and never again.
--
-- A node writes one row every two seconds: its own `beats`. Another node that has watched the same number stand still for ten seconds, on its own
-- monotonic clock, declares it gone; from then on nothing that carries its epoch is written to the journal, what it had claimed is free, and its
-- sessions are closed at their last evidence. No wall clock has a part in that. In one SQLite file the node that started last is the only one.
CREATE TABLE node (
    epoch          BIGINT NOT NULL PRIMARY KEY,   -- 1, 2, 3 ...: the fencing token
    name           TEXT   NOT NULL,               -- for people
    url            TEXT   NOT NULL,               -- where browsers reach this very node
    state          TEXT   NOT NULL CHECK (state IN ('live', 'draining', 'gone')),
    beats          BIGINT NOT NULL,
    joined_unix_ms BIGINT NOT NULL,
    beaten_unix_ms BIGINT NOT NULL
);

CREATE INDEX node_present ON node (epoch) WHERE state <> 'gone';

-- What only one node may hold, by its name, such as the room of an appointment. A claim whose node is gone is free.
CREATE TABLE claim (
    name            TEXT   NOT NULL PRIMARY KEY,
    epoch           BIGINT NOT NULL REFERENCES node (epoch),
    claimed_unix_ms BIGINT NOT NULL
);

CREATE INDEX claim_by_epoch ON claim (epoch);

-- Whose session it is: a claim that is made with the first reservation. 0 is a program that has its database to itself.
ALTER TABLE metered_session ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
