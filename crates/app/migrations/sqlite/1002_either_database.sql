-- What both databases can do the same way takes the place of what SQLite alone can: names and addresses are compared without regard to case
-- by lower(), and the links of a place are in the order of their numbers.

CREATE UNIQUE INDEX users_by_email ON users (lower(email));

DROP INDEX patients_by_name;
CREATE INDEX patients_by_name ON patients (practice_id, lower(name));
DROP INDEX contacts_by_name;
CREATE INDEX contacts_by_name ON contacts (practice_id, lower(name));

ALTER TABLE visit_links ADD COLUMN nth INTEGER NOT NULL DEFAULT 0;  -- 1, 2, 3 ... of its place, as they were made
UPDATE visit_links SET nth = rowid;
