-- A page whose consultation is held at another node brings one of these there, instead of a cookie: see migrations/sqlite.
CREATE TABLE socket_passes (
    token_hash   BYTEA PRIMARY KEY,
    session_hash BYTEA  NOT NULL,
    epoch        BIGINT NOT NULL,
    expires_ms   BIGINT NOT NULL
);
