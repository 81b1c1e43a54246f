-- What the reports read: every ended call and visit (P5, C1). Written once when it ends, never changed. Parties
-- (practitioner, caller, recipient, patient, appointment) are names that the embedding program gave and understands.

CREATE TABLE call_record (
    session          TEXT   NOT NULL PRIMARY KEY,   -- also the session of its credits, where it came so far
    account_id       TEXT   NOT NULL,
    appointment      TEXT,
    practitioner     TEXT   NOT NULL,               -- on whose behalf
    caller           TEXT   NOT NULL,               -- who clicked Call
    recipient        TEXT   NOT NULL,
    from_number      TEXT   NOT NULL,               -- E.164, as is to_number
    to_number        TEXT   NOT NULL,
    outcome          TEXT   NOT NULL,
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
    jitter_ms        BIGINT
);

CREATE INDEX call_record_by_start ON call_record (account_id, started_unix_ms, session);

CREATE TABLE visit_record (
    session         TEXT   NOT NULL PRIMARY KEY,
    account_id      TEXT   NOT NULL,
    appointment     TEXT   NOT NULL,
    practitioner    TEXT   NOT NULL,
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
    session      TEXT   NOT NULL REFERENCES visit_record (session),
    seat         BIGINT NOT NULL CHECK (seat BETWEEN 1 AND 3),
    patient      TEXT   NOT NULL,
    admitted     BIGINT NOT NULL CHECK (admitted IN (0, 1)),
    connected_ms BIGINT NOT NULL,
    credits      BIGINT NOT NULL,
    PRIMARY KEY (session, seat)
);
