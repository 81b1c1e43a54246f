-- A patient of a visit goes on by phone (V13): the call is a part of the visit, whose session paid for it (M9).

ALTER TABLE call_record ADD COLUMN visit TEXT;
ALTER TABLE visit_patient ADD COLUMN by_phone_ms BIGINT NOT NULL DEFAULT 0;   -- a part of connected_ms
