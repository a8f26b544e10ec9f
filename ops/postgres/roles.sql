-- The two roles of the product, and what the services may do with the owner's tables.
-- Run by a superuser in a database (template1 for the embedded server, so that every database made
-- later has it too); harmless when repeated. docker-compose.yml uses the same file.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reelmint_owner') THEN
        CREATE ROLE reelmint_owner LOGIN;  -- runs the migrations, owns the tables
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'reelmint_app') THEN
        CREATE ROLE reelmint_app LOGIN;    -- what web, workers and beat connect as
    END IF;
END
$$;

-- A request never waits longer than this. A worker may SET its own.
ALTER ROLE reelmint_app SET statement_timeout = '5s';
ALTER ROLE reelmint_app SET lock_timeout = '2s';
ALTER ROLE reelmint_app SET idle_in_transaction_session_timeout = '10s';

-- The server's log shall not quote what customers wrote: an error is noted without the statement and
-- without the row it was about. (A race of two requests with one key is such an error, by design.)
ALTER ROLE reelmint_app SET log_min_error_statement = 'panic';
ALTER ROLE reelmint_app SET log_error_verbosity = 'terse';
ALTER ROLE reelmint_owner SET log_min_error_statement = 'panic';
ALTER ROLE reelmint_owner SET log_error_verbosity = 'terse';

-- No TRUNCATE, no TRIGGER: the ledger's append-only trigger cannot be gone round.
ALTER DEFAULT PRIVILEGES FOR ROLE reelmint_owner
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO reelmint_app;
ALTER DEFAULT PRIVILEGES FOR ROLE reelmint_owner
    GRANT USAGE, SELECT ON SEQUENCES TO reelmint_app;
