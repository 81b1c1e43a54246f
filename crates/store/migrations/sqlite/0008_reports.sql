-- What reports on calls are filtered by, each with the order that they are shown in: the first page is then read from one end of an index.

CREATE INDEX call_record_by_recipient    ON call_record (account_id, recipient, started_unix_ms, session);
CREATE INDEX call_record_by_practitioner ON call_record (account_id, practitioner, started_unix_ms, session);
CREATE INDEX call_record_by_caller       ON call_record (account_id, caller, started_unix_ms, session);
CREATE INDEX call_record_by_to_number    ON call_record (account_id, to_number, started_unix_ms, session);
CREATE INDEX call_record_by_from_number  ON call_record (account_id, from_number, started_unix_ms, session);
CREATE INDEX call_record_by_outcome      ON call_record (account_id, outcome, started_unix_ms, session);
