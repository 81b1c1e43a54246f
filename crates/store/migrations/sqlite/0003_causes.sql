-- What the network said about the end of a call, beside the status that 0002 keeps: the cause of ITU-T Q.850 and the texts, cleaned of
-- control characters and cut by the engine, but written by strangers all the same. For whoever has to find out why a number cannot be
-- reached. Calls recorded before have none of it.

ALTER TABLE call_record ADD COLUMN q850 BIGINT CHECK (q850 BETWEEN 0 AND 255);
ALTER TABLE call_record ADD COLUMN reason_phrase TEXT NOT NULL DEFAULT '';  -- the words behind the status
ALTER TABLE call_record ADD COLUMN cause_text    TEXT NOT NULL DEFAULT '';  -- of Reason, else of Warning
