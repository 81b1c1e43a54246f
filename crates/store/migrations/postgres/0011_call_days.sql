-- What the calls of a day came to, on PostgreSQL: the table of migrations/sqlite, where it is told in prose.
CREATE TABLE call_day (
    account_id   TEXT   COLLATE "C" NOT NULL,
    day          BIGINT NOT NULL,
    practitioner TEXT   COLLATE "C" NOT NULL,
    caller       TEXT   COLLATE "C" NOT NULL,
    from_number  TEXT   COLLATE "C" NOT NULL,
    outcome      TEXT   COLLATE "C" NOT NULL,
    calls        BIGINT NOT NULL,
    answered     BIGINT NOT NULL,
    talk_ms      BIGINT NOT NULL,
    hold_ms      BIGINT NOT NULL,
    credits      BIGINT NOT NULL,
    PRIMARY KEY (account_id, day, practitioner, caller, from_number, outcome)
);

INSERT INTO call_day
SELECT account_id, started_unix_ms / 86400000, practitioner, caller, from_number, outcome, COUNT(*), COUNT(answered_unix_ms), SUM(talk_ms), SUM(hold_ms),
       SUM(credits)
FROM call_record GROUP BY 1, 2, 3, 4, 5, 6;

-- Once for each statement, in the order of the key, so that two that add to the same days do not wait for each other in a ring.
CREATE FUNCTION count_calls() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO call_day
    SELECT account_id, started_unix_ms / 86400000, practitioner, caller, from_number, outcome, COUNT(*), COUNT(answered_unix_ms), SUM(talk_ms),
           SUM(hold_ms), SUM(credits)
    FROM added GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (account_id, day, practitioner, caller, from_number, outcome) DO UPDATE SET
        calls = call_day.calls + excluded.calls, answered = call_day.answered + excluded.answered, talk_ms = call_day.talk_ms + excluded.talk_ms,
        hold_ms = call_day.hold_ms + excluded.hold_ms, credits = call_day.credits + excluded.credits;
    RETURN NULL;
END $$;

CREATE TRIGGER call_is_counted AFTER INSERT ON call_record REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_calls();
