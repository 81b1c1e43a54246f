-- What the calls of a day came to, for each combination of what reports filter by that has few values: the bottom line of a report over years adds up
-- these instead of each call. Follows from call_record, by the trigger; records are never changed.
CREATE TABLE call_day (
    account_id   TEXT   NOT NULL,
    day          BIGINT NOT NULL,                   -- in which they started: whole days of UTC since 1970
    practitioner TEXT   NOT NULL,
    caller       TEXT   NOT NULL,
    from_number  TEXT   NOT NULL,
    outcome      TEXT   NOT NULL,
    calls        BIGINT NOT NULL,
    answered     BIGINT NOT NULL,
    talk_ms      BIGINT NOT NULL,
    hold_ms      BIGINT NOT NULL,
    credits      BIGINT NOT NULL,
    PRIMARY KEY (account_id, day, practitioner, caller, from_number, outcome)
) WITHOUT ROWID;

INSERT INTO call_day
SELECT account_id, started_unix_ms / 86400000, practitioner, caller, from_number, outcome, COUNT(*), COUNT(answered_unix_ms), SUM(talk_ms), SUM(hold_ms),
       SUM(credits)
FROM call_record GROUP BY account_id, started_unix_ms / 86400000, practitioner, caller, from_number, outcome;

CREATE TRIGGER call_is_counted AFTER INSERT ON call_record
BEGIN
    INSERT INTO call_day
    VALUES (NEW.account_id, NEW.started_unix_ms / 86400000, NEW.practitioner, NEW.caller, NEW.from_number, NEW.outcome, 1,
            NEW.answered_unix_ms IS NOT NULL, NEW.talk_ms, NEW.hold_ms, NEW.credits)
    ON CONFLICT (account_id, day, practitioner, caller, from_number, outcome) DO UPDATE SET
        calls = call_day.calls + 1, answered = call_day.answered + excluded.answered, talk_ms = call_day.talk_ms + excluded.talk_ms,
        hold_ms = call_day.hold_ms + excluded.hold_ms, credits = call_day.credits + excluded.credits;
END;
