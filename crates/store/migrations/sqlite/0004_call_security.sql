-- How a call was carried, beside what 0002 and 0003 keep. Of calls recorded before nobody knows whether they were encrypted, and their
-- holds were not counted.

ALTER TABLE call_record ADD COLUMN encrypted BIGINT CHECK (encrypted IN (0, 1));  -- SRTP as far as the trunk; absent if no sound was agreed
ALTER TABLE call_record ADD COLUMN held_by_them_ms BIGINT NOT NULL DEFAULT 0;      -- the part of talk_ms in which they held us
