-- Whether the keys of an encrypted call could be read on the way to the trunk. Of calls recorded before nobody knows, so they count as if.

ALTER TABLE call_record ADD COLUMN keys_hidden BIGINT NOT NULL DEFAULT 0 CHECK (keys_hidden IN (0, 1));  -- SIP over TLS; of meaning if encrypted
