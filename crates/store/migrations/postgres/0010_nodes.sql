-- Nodes that share the database, on PostgreSQL: the tables of migrations/sqlite, where each is told in prose.

CREATE TABLE node (
    epoch          BIGINT NOT NULL PRIMARY KEY,
    name           TEXT   NOT NULL,
    url            TEXT   NOT NULL,
    state          TEXT   NOT NULL CHECK (state IN ('live', 'draining', 'gone')),
    beats          BIGINT NOT NULL,
    joined_unix_ms BIGINT NOT NULL,
    beaten_unix_ms BIGINT NOT NULL
);

CREATE INDEX node_present ON node (epoch) WHERE state <> 'gone';

CREATE TABLE claim (
    name            TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    epoch           BIGINT NOT NULL REFERENCES node (epoch),
    claimed_unix_ms BIGINT NOT NULL
);

CREATE INDEX claim_by_epoch ON claim (epoch);

ALTER TABLE metered_session ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- Waits for the turn to write to the journal, for the node of an epoch, and returns 0; or the newest epoch, where that one is over. A node is
-- declared gone by one who has this turn as well, so that what it wrote was written before, or is refused: there is nothing between.
-- The statement behind the lock sees what the writer before committed, since a volatile function looks anew for each of its statements.
CREATE FUNCTION take_the_journal(mine BIGINT) RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    LOCK TABLE journal_turn IN EXCLUSIVE MODE;
    IF mine = 0 OR EXISTS (SELECT FROM node WHERE epoch = mine AND state <> 'gone') THEN
        RETURN 0;
    END IF;
    RETURN (SELECT COALESCE(MAX(epoch), 0) FROM node);
END $$;

-- The same for an entry that is one statement and takes no turn: returns the entry's number, or fails. The statement waits for whoever has the
-- turn before it runs, and this looks when it runs.
CREATE FUNCTION expect_node(mine BIGINT, seq BIGINT) RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF mine = 0 OR EXISTS (SELECT FROM node WHERE epoch = mine AND state <> 'gone') THEN
        RETURN seq;
    END IF;
    RAISE EXCEPTION 'epoch % is over', mine USING ERRCODE = 'HC001';
END $$;
