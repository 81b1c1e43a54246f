-- The rest of the journal's money: credits that are given, corrected, transferred and ordered, numbers paid by the month (M12, M13, N1).
--
-- The journal and its postings stay what they are; kinds and accounts are more than 0001 lists (see the documentation of the meter). What is kept
-- here follows from the journal, or is what a machine must remember between two facts: as text that the meter writes and reads.

-- Whoever has accounts: a practice, or one of its practitioners.
CREATE TABLE holder (
    account_id TEXT   NOT NULL PRIMARY KEY,
    given      BIGINT NOT NULL CHECK (given >= 0),  -- what is left of the credits that were given, which are spent first; follows from the journal
    watch      TEXT                                 -- when to say that credits run low, when to order more, and how far that is; none if never set
);

-- Which entry reverses how much of which: of none more than it moved. Follows from the journal.
CREATE TABLE correction (
    seq      BIGINT NOT NULL PRIMARY KEY REFERENCES journal (seq),
    corrects TEXT   NOT NULL,                       -- the key of the entry that was wrong
    credits  BIGINT NOT NULL CHECK (credits > 0)
);

CREATE INDEX correction_by_key ON correction (corrects);

-- Orders of credits, and what became of their payment.
CREATE TABLE credit_order (
    id            TEXT   NOT NULL PRIMARY KEY,
    account_id    TEXT   NOT NULL,
    state         TEXT   NOT NULL,
    asked_unix_ms BIGINT NOT NULL
);

CREATE INDEX credit_order_by_account ON credit_order (account_id, asked_unix_ms);

-- Dedicated numbers, and which of their months are paid.
CREATE TABLE number_subscription (
    id         TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL,
    state      TEXT NOT NULL
);

-- What the world outside is to be told, written in the transaction of what caused it, and delivered at least once. Whoever delivers takes an event
-- for a while; if nobody says that it is sent, it is due again.
CREATE TABLE outbox (
    key             TEXT   NOT NULL PRIMARY KEY,    -- whoever receives an event twice knows it again
    account_id      TEXT   NOT NULL,
    news            TEXT   NOT NULL,
    caused_unix_ms  BIGINT NOT NULL,
    due_unix_ms     BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    sent_unix_ms    BIGINT
);

CREATE INDEX outbox_due ON outbox (due_unix_ms) WHERE sent_unix_ms IS NULL;
