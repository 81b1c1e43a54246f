-- The rest of the journal's money, on PostgreSQL: the tables of migrations/sqlite, where each is told in prose.

CREATE TABLE holder (
    account_id TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    given      BIGINT NOT NULL CHECK (given >= 0),  -- what is left of the credits that were given
    watch      TEXT                                 -- when to say that credits run low, and to order more
);

CREATE TABLE correction (
    seq      BIGINT NOT NULL PRIMARY KEY REFERENCES journal (seq),
    corrects TEXT   COLLATE "C" NOT NULL,           -- the key of the entry that was wrong
    credits  BIGINT NOT NULL CHECK (credits > 0)
);

CREATE INDEX correction_by_key ON correction (corrects);

CREATE TABLE credit_order (
    id            TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    account_id    TEXT   COLLATE "C" NOT NULL,
    state         TEXT   NOT NULL,
    asked_unix_ms BIGINT NOT NULL
);

CREATE INDEX credit_order_by_account ON credit_order (account_id, asked_unix_ms);

CREATE TABLE number_subscription (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    account_id TEXT COLLATE "C" NOT NULL,
    state      TEXT NOT NULL
);

CREATE TABLE outbox (
    key             TEXT   COLLATE "C" NOT NULL PRIMARY KEY,  -- whoever receives an event twice knows it again
    account_id      TEXT   COLLATE "C" NOT NULL,
    news            TEXT   NOT NULL,
    caused_unix_ms  BIGINT NOT NULL,
    due_unix_ms     BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    sent_unix_ms    BIGINT
);

CREATE INDEX outbox_due ON outbox (due_unix_ms) WHERE sent_unix_ms IS NULL;
