-- The ledger on PostgreSQL: the tables of migrations/sqlite, where each is told in prose, with what this database does its own way.
--
-- Names are compared and sorted byte by byte (COLLATE "C"), as SQLite does, whatever the language of the server.

CREATE TABLE journal (
    seq              BIGINT NOT NULL PRIMARY KEY,   -- 1, 2, 3 ... without a gap: a missing entry shows
    key              TEXT   COLLATE "C" NOT NULL UNIQUE,
    kind             TEXT   NOT NULL,               -- grant, reserve, extend, evidence, settle, release
    session          TEXT   COLLATE "C",            -- none for credits given to a practice
    account_id       TEXT   COLLATE "C" NOT NULL,   -- the practice
    at_ms            BIGINT NOT NULL,
    tariff           TEXT,                          -- pinned when the session started (M6)
    tariff_version   BIGINT,
    cause            TEXT   NOT NULL,               -- what made the entry; a session is replayed from these (M10)
    must_be_covered  BIGINT NOT NULL,               -- 1 when refused unless available covers it (M7)
    available_after  BIGINT NOT NULL,               -- what the practice had once this was written
    reserved_after   BIGINT NOT NULL,
    recorded_unix_ms BIGINT NOT NULL,
    seal             TEXT                           -- SHA-256 over the seal before and all of this entry
);

CREATE INDEX journal_by_session ON journal (session, seq);
CREATE INDEX journal_by_account ON journal (account_id, seq);

CREATE TABLE posting (
    seq     BIGINT NOT NULL REFERENCES journal (seq),
    line    BIGINT NOT NULL,                        -- 0, 1, 2: the order in which the entry lists them
    account TEXT   COLLATE "C" NOT NULL,            -- issued, available, reserved, earned
    delta   BIGINT NOT NULL CHECK (delta <> 0),
    PRIMARY KEY (seq, line),
    UNIQUE (seq, account)
);

-- Holds nothing: who appends to the journal locks it first, so that there is one writer at a time. The journal itself is not locked,
-- since the server's own housekeeping would wait for that, and writers for it.
CREATE TABLE journal_turn ();

CREATE FUNCTION refuse_to_rewrite_the_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only';
END $$;

CREATE TRIGGER journal_is_not_rewritten BEFORE UPDATE ON journal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_journal();

CREATE TRIGGER journal_is_not_erased BEFORE DELETE OR TRUNCATE ON journal
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_journal();

CREATE TRIGGER posting_is_not_rewritten BEFORE UPDATE ON posting
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_journal();

CREATE TRIGGER posting_is_not_erased BEFORE DELETE OR TRUNCATE ON posting
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_the_journal();

CREATE TABLE balance (
    account_id TEXT   COLLATE "C" NOT NULL,
    account    TEXT   COLLATE "C" NOT NULL,
    credits    BIGINT NOT NULL,
    PRIMARY KEY (account_id, account),
    CHECK (account NOT IN ('reserved', 'earned') OR credits >= 0)
);

CREATE TABLE metered_session (
    session         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    account_id      TEXT   COLLATE "C" NOT NULL,
    started_unix_ms BIGINT NOT NULL,
    evidence_ms     BIGINT NOT NULL,
    ended_seq       BIGINT REFERENCES journal (seq)
);

CREATE INDEX metered_session_open ON metered_session (session) WHERE ended_seq IS NULL;
