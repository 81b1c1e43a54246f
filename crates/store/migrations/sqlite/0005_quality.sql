-- How a call sounded in each direction: 'heard' by the caller, 'sent' to the person called. Judged each second from the answer on by the
-- E-model of ITU-T G.107, holds and mutes left out. Written with the call's record, never changed. Calls recorded before, unanswered calls
-- and those over within a second have no rows.

CREATE TABLE call_quality (
    session           TEXT   NOT NULL REFERENCES call_record (session),
    direction         TEXT   NOT NULL CHECK (direction IN ('heard', 'sent')),
    rating            BIGINT NOT NULL CHECK (rating BETWEEN 0 AND 100),        -- R, the mean
    worst_minute      BIGINT NOT NULL CHECK (worst_minute BETWEEN 0 AND 100),  -- R, its mean
    good_s            BIGINT NOT NULL,                                         -- seconds in each class
    fair_s            BIGINT NOT NULL,
    poor_s            BIGINT NOT NULL,
    lost_per_10k      BIGINT NOT NULL,                                         -- packets
    concealed_per_10k BIGINT NOT NULL,                                         -- frames made up
    jitter_ms         BIGINT NOT NULL,
    timeline          BLOB   NOT NULL,                                         -- R of every 5 s, a byte each; 255 where nothing was judged
    PRIMARY KEY (session, direction)
);

ALTER TABLE call_record ADD COLUMN round_trip_ms BIGINT;  -- between browser and phone; NULL where none was measured
