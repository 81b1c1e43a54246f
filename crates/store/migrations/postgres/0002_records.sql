-- What the reports read, on PostgreSQL: the tables of migrations/sqlite, as they are after 0007 there.

CREATE TABLE call_record (
    session          TEXT   COLLATE "C" NOT NULL PRIMARY KEY,  -- also the session of its credits, where it came so far
    account_id       TEXT   COLLATE "C" NOT NULL,
    appointment      TEXT   COLLATE "C",
    practitioner     TEXT   COLLATE "C" NOT NULL,   -- on whose behalf
    caller           TEXT   COLLATE "C" NOT NULL,   -- who clicked Call
    recipient        TEXT   COLLATE "C" NOT NULL,
    from_number      TEXT   COLLATE "C" NOT NULL,   -- E.164, as is to_number
    to_number        TEXT   COLLATE "C" NOT NULL,
    outcome          TEXT   COLLATE "C" NOT NULL,
    words            TEXT   NOT NULL,
    ended_by         TEXT   NOT NULL CHECK (ended_by IN ('us', 'them')),
    status           BIGINT,                        -- the last SIP status
    started_unix_ms  BIGINT NOT NULL,
    answered_unix_ms BIGINT,
    ended_unix_ms    BIGINT NOT NULL,
    talk_ms          BIGINT NOT NULL,               -- from the answer, hold included (M2)
    hold_ms          BIGINT NOT NULL,
    credits          BIGINT NOT NULL,
    packets_received BIGINT,                        -- the three of quality are present together, or none is
    packets_lost     BIGINT,
    jitter_ms        BIGINT,
    q850             BIGINT CHECK (q850 BETWEEN 0 AND 255),
    reason_phrase    TEXT   NOT NULL DEFAULT '',    -- the words behind the status
    cause_text       TEXT   NOT NULL DEFAULT '',    -- of Reason, else of Warning
    encrypted        BIGINT CHECK (encrypted IN (0, 1)),                    -- SRTP as far as the trunk; absent if no sound was agreed
    keys_hidden      BIGINT NOT NULL DEFAULT 0 CHECK (keys_hidden IN (0, 1)),  -- SIP over TLS; of meaning if encrypted
    held_by_them_ms  BIGINT NOT NULL DEFAULT 0,     -- the part of talk_ms in which they held us
    round_trip_ms    BIGINT                         -- between browser and phone; NULL where none was measured
);

CREATE INDEX call_record_by_start ON call_record (account_id, started_unix_ms, session);

CREATE TABLE call_quality (
    session           TEXT   COLLATE "C" NOT NULL REFERENCES call_record (session),
    direction         TEXT   COLLATE "C" NOT NULL CHECK (direction IN ('heard', 'sent')),
    rating            BIGINT NOT NULL CHECK (rating BETWEEN 0 AND 100),        -- R, the mean
    worst_minute      BIGINT NOT NULL CHECK (worst_minute BETWEEN 0 AND 100),  -- R, its mean
    good_s            BIGINT NOT NULL,                                         -- seconds in each class
    fair_s            BIGINT NOT NULL,
    poor_s            BIGINT NOT NULL,
    lost_per_10k      BIGINT NOT NULL,                                         -- packets
    concealed_per_10k BIGINT NOT NULL,                                         -- frames made up
    jitter_ms         BIGINT NOT NULL,
    timeline          BYTEA  NOT NULL,                                         -- R of every 5 s, a byte each; 255 where nothing was judged
    PRIMARY KEY (session, direction)
);

CREATE TABLE visit_record (
    session         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    account_id      TEXT   COLLATE "C" NOT NULL,
    appointment     TEXT   COLLATE "C" NOT NULL,
    practitioner    TEXT   COLLATE "C" NOT NULL,
    started_unix_ms BIGINT NOT NULL,                -- the practitioner's Join
    ended_unix_ms   BIGINT NOT NULL,
    elapsed_ms      BIGINT NOT NULL,
    words           TEXT   NOT NULL,
    credits         BIGINT NOT NULL
);

CREATE INDEX visit_record_by_start ON visit_record (account_id, started_unix_ms, session);
CREATE INDEX visit_record_by_appointment ON visit_record (account_id, appointment, started_unix_ms);

-- At most three, because a visit has three seats (V2).
CREATE TABLE visit_patient (
    session      TEXT   COLLATE "C" NOT NULL REFERENCES visit_record (session),
    seat         BIGINT NOT NULL CHECK (seat BETWEEN 1 AND 3),
    patient      TEXT   COLLATE "C" NOT NULL,
    admitted     BIGINT NOT NULL CHECK (admitted IN (0, 1)),
    connected_ms BIGINT NOT NULL,
    credits      BIGINT NOT NULL,
    PRIMARY KEY (session, seat)
);
