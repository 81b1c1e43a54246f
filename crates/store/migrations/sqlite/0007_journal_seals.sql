-- Each entry of the journal is sealed: SHA-256 over the seal of the entry before it and everything that it says itself. Who rewrites one
-- entry must rewrite all that follow, and the last seal, noted elsewhere, tells. Entries of before have none.

ALTER TABLE journal ADD COLUMN seal TEXT;
