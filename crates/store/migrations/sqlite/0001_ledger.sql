-- The ledger: a journal that only grows, and balances that follow from it (M12).
--
-- A journal row is one entry, named for ever by its key: a second entry of that key is either the same one sent again, or
-- a mistake that is refused. Its postings move credits between the four accounts that each practice has:
-- issued -> available -> reserved -> earned. The postings of one entry sum to zero.
--
-- Times called *_unix_ms are wall clock, for people to read. Times called *_ms are on the clock of charges, counted
-- from the start of the session. Columns are BIGINT, TEXT and BLOB only, so that the same statements run elsewhere.

CREATE TABLE journal (
    seq              BIGINT NOT NULL PRIMARY KEY,   -- 1, 2, 3 ... without a gap: a missing entry shows
    key              TEXT   NOT NULL UNIQUE,
    kind             TEXT   NOT NULL,               -- grant, reserve, extend, evidence, settle, release
    session          TEXT,                          -- none for credits given to a practice
    account_id       TEXT   NOT NULL,               -- the practice
    at_ms            BIGINT NOT NULL,
    tariff           TEXT,                          -- pinned when the session started (M6)
    tariff_version   BIGINT,
    cause            TEXT   NOT NULL,               -- what made the entry; a session is replayed from these (M10)
    must_be_covered  BIGINT NOT NULL,               -- 1 when refused unless available covers it (M7)
    available_after  BIGINT NOT NULL,               -- what the practice had once this was written
    reserved_after   BIGINT NOT NULL,
    recorded_unix_ms BIGINT NOT NULL
);

CREATE INDEX journal_by_session ON journal (session, seq);
CREATE INDEX journal_by_account ON journal (account_id, seq);

CREATE TABLE posting (
    seq     BIGINT NOT NULL REFERENCES journal (seq),
    line    BIGINT NOT NULL,                        -- 0, 1, 2: the order in which the entry lists them
    account TEXT   NOT NULL,                        -- issued, available, reserved, earned
    delta   BIGINT NOT NULL CHECK (delta <> 0),
    PRIMARY KEY (seq, line),
    UNIQUE (seq, account)
);

CREATE TRIGGER journal_is_not_rewritten BEFORE UPDATE ON journal
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;

CREATE TRIGGER journal_is_not_erased BEFORE DELETE ON journal
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;

CREATE TRIGGER posting_is_not_rewritten BEFORE UPDATE ON posting
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;

CREATE TRIGGER posting_is_not_erased BEFORE DELETE ON posting
BEGIN SELECT RAISE (ABORT, 'the journal is append-only'); END;

-- What each account has: the sum of its postings, kept in the transaction that writes them, checked by a replay of the
-- journal. Only `available` goes below zero in the ordinary course (M8), and `issued` always is.
CREATE TABLE balance (
    account_id TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    credits    BIGINT NOT NULL,
    PRIMARY KEY (account_id, account),
    CHECK (account NOT IN ('reserved', 'earned') OR credits >= 0)
);

-- Sessions that are or were metered. One without an end is running, or was cut off by a crash: then it is closed at its last
-- evidence, the later of its last heartbeat and its last entry (M11).
CREATE TABLE metered_session (
    session         TEXT   NOT NULL PRIMARY KEY,
    account_id      TEXT   NOT NULL,
    started_unix_ms BIGINT NOT NULL,
    evidence_ms     BIGINT NOT NULL,
    ended_seq       BIGINT REFERENCES journal (seq)
);

CREATE INDEX metered_session_open ON metered_session (session) WHERE ended_seq IS NULL;
