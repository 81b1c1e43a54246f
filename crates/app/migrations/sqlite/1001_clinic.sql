-- The clinic's own tables. Times are unix milliseconds; lengths and limits are checked here as well as in the program,
-- so that no other writer can break them.

CREATE TABLE practices (
    id          INTEGER PRIMARY KEY,
    name        TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    zone        TEXT NOT NULL,                       -- IANA, such as Australia/Sydney
    country     TEXT NOT NULL CHECK (length(country) = 2),
    created_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE users (
    id            INTEGER PRIMARY KEY,
    practice_id   INTEGER NOT NULL REFERENCES practices (id),
    email         TEXT NOT NULL COLLATE NOCASE UNIQUE CHECK (length(email) BETWEEN 3 AND 254),
    name          TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    role          TEXT NOT NULL CHECK (role IN ('practitioner', 'administrator')),
    password_hash TEXT,                              -- argon2id; none: signs in by link only
    created_ms    INTEGER NOT NULL
) STRICT;

-- Failed tries by the address typed, known or not, so that the answer does not tell which addresses exist.
CREATE TABLE sign_in_tries (
    email_hash   BLOB PRIMARY KEY,
    failures     INTEGER NOT NULL,
    next_try_ms  INTEGER NOT NULL,
    last_ms      INTEGER NOT NULL
) STRICT;

CREATE TABLE staff_sessions (
    token_hash   BLOB PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    created_ms   INTEGER NOT NULL,
    seen_ms      INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX staff_sessions_of_user ON staff_sessions (user_id);

CREATE TABLE sign_in_links (
    token_hash   BLOB PRIMARY KEY,
    user_id      INTEGER NOT NULL REFERENCES users (id),
    expires_ms   INTEGER NOT NULL,
    used_ms      INTEGER
) STRICT;

CREATE TABLE patients (
    id           INTEGER PRIMARY KEY,
    practice_id  INTEGER NOT NULL REFERENCES practices (id),
    name         TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    born         TEXT,                               -- 1951-05-04
    email        TEXT,
    created_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX patients_by_name ON patients (practice_id, name COLLATE NOCASE);

-- A professional contact, not a patient.
CREATE TABLE contacts (
    id           INTEGER PRIMARY KEY,
    practice_id  INTEGER NOT NULL REFERENCES practices (id),
    name         TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    organisation TEXT,
    email        TEXT,
    created_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX contacts_by_name ON contacts (practice_id, name COLLATE NOCASE);

CREATE TABLE phone_numbers (
    id           INTEGER PRIMARY KEY,
    patient_id   INTEGER REFERENCES patients (id),
    contact_id   INTEGER REFERENCES contacts (id),
    label        TEXT NOT NULL CHECK (length(label) BETWEEN 1 AND 40),
    number       TEXT NOT NULL CHECK (length(number) BETWEEN 3 AND 40),   -- as written; checked by the phone's rules when dialled
    position     INTEGER NOT NULL DEFAULT 0,
    CHECK ((patient_id IS NULL) <> (contact_id IS NULL))
) STRICT;
CREATE INDEX phone_numbers_of_patient ON phone_numbers (patient_id);
CREATE INDEX phone_numbers_of_contact ON phone_numbers (contact_id);

-- N1: the practice's own numbers, and the caller id of its calls (N2).
CREATE TABLE dedicated_numbers (
    id              INTEGER PRIMARY KEY,
    practice_id     INTEGER NOT NULL REFERENCES practices (id),
    practitioner_id INTEGER REFERENCES users (id),   -- none: the whole practice's
    number          TEXT NOT NULL UNIQUE,            -- E.164
    state           TEXT NOT NULL CHECK (state IN ('requested', 'under_review', 'approved', 'active', 'past_due', 'suspended', 'released'))
) STRICT;

CREATE TABLE appointments (
    id               INTEGER PRIMARY KEY,
    practice_id      INTEGER NOT NULL REFERENCES practices (id),
    practitioner_id  INTEGER NOT NULL REFERENCES users (id),
    starts_ms        INTEGER NOT NULL,
    ends_ms          INTEGER NOT NULL CHECK (ends_ms > starts_ms AND ends_ms - starts_ms <= 43200000),
    zone             TEXT NOT NULL,
    location         TEXT NOT NULL CHECK (location IN ('telehealth', 'phone', 'in_person')),
    room             TEXT,
    title            TEXT NOT NULL DEFAULT '' CHECK (length(title) <= 200),
    cancelled_ms     INTEGER,
    created_ms       INTEGER NOT NULL,
    CHECK ((location = 'in_person') = (room IS NOT NULL))
) STRICT;
CREATE INDEX appointments_by_start ON appointments (practice_id, starts_ms);

-- V2: three seats and no fourth. `visit_key` is the public name of one person's place in one appointment; it is no secret.
CREATE TABLE participants (
    appointment_id INTEGER NOT NULL REFERENCES appointments (id),
    seat           INTEGER NOT NULL CHECK (seat BETWEEN 1 AND 3),
    patient_id     INTEGER NOT NULL REFERENCES patients (id),
    visit_key      TEXT NOT NULL UNIQUE,
    PRIMARY KEY (appointment_id, seat),
    UNIQUE (appointment_id, patient_id)
) STRICT;
CREATE INDEX participants_of_patient ON participants (patient_id);

-- A2: 256 random bits, kept as their hash. A removed patient's links are revoked; nobody else's (A3).
CREATE TABLE visit_links (
    token_hash     BLOB PRIMARY KEY,
    appointment_id INTEGER NOT NULL REFERENCES appointments (id),
    patient_id     INTEGER NOT NULL REFERENCES patients (id),
    visit_key      TEXT NOT NULL,
    created_ms     INTEGER NOT NULL,
    revoked_ms     INTEGER,
    revoked_why    TEXT CHECK (revoked_why IN ('removed', 'replaced')),
    opened_ms      INTEGER,
    CHECK ((revoked_ms IS NULL) = (revoked_why IS NULL))
) STRICT;
CREATE INDEX visit_links_of_appointment ON visit_links (appointment_id, patient_id);

-- What a link was exchanged for: the cookie of one browser.
CREATE TABLE visit_sessions (
    token_hash  BLOB PRIMARY KEY,
    link_hash   BLOB NOT NULL REFERENCES visit_links (token_hash),
    created_ms  INTEGER NOT NULL,
    expires_ms  INTEGER NOT NULL
) STRICT;
CREATE INDEX visit_sessions_of_link ON visit_sessions (link_hash);

CREATE TABLE clinical_notes (
    id             INTEGER PRIMARY KEY,
    appointment_id INTEGER NOT NULL REFERENCES appointments (id),
    author_id      INTEGER NOT NULL REFERENCES users (id),
    body           TEXT NOT NULL CHECK (length(body) BETWEEN 1 AND 20000),
    written_ms     INTEGER NOT NULL
) STRICT;
CREATE INDEX clinical_notes_of_appointment ON clinical_notes (appointment_id);

-- A4: who did what. Identifiers only; it is never changed.
CREATE TABLE audit_log (
    id           INTEGER PRIMARY KEY,
    at_ms        INTEGER NOT NULL,
    practice_id  INTEGER,
    actor        TEXT NOT NULL,
    action       TEXT NOT NULL,
    subject      TEXT NOT NULL
) STRICT;
CREATE INDEX audit_log_by_time ON audit_log (practice_id, at_ms);
CREATE TRIGGER audit_log_keeps BEFORE UPDATE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_log_stays BEFORE DELETE ON audit_log BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
