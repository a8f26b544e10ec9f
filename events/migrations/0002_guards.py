"""What Django's constraints cannot say: the log of ends is only added to, and numbers count up.

Generations that had ended before have no event: nobody was promised one, and to write millions
would hold up the migration for what no customer has asked about.
"""

from django.db import migrations

FORWARD = """
-- Retention deletes what is old, and it keeps everything for a day at least.
CREATE FUNCTION event_log_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.created_at < now() - interval '1 day' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'event_log_is_append_only: % on an event', TG_OP
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'event_log_is_append_only';
END $$;
CREATE TRIGGER event_log_is_append_only BEFORE UPDATE OR DELETE ON events_event
    FOR EACH ROW EXECUTE FUNCTION event_log_is_append_only();
CREATE FUNCTION event_log_is_not_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'event_log_is_not_truncated'
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'event_log_is_not_truncated';
END $$;
CREATE TRIGGER event_log_is_not_truncated BEFORE TRUNCATE ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION event_log_is_not_truncated();

-- Whoever has read up to a number would miss what is given it a second time.
CREATE FUNCTION feed_only_counts_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND NEW.account_id = OLD.account_id
       AND NEW.last_sequence = OLD.last_sequence + 1
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'feed_only_counts_up: % of %', TG_OP, OLD.account_id
        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'feed_only_counts_up';
END $$;
CREATE TRIGGER feed_only_counts_up BEFORE UPDATE OR DELETE ON events_feed
    FOR EACH ROW EXECUTE FUNCTION feed_only_counts_up();
"""
BACKWARD = """
DROP TRIGGER feed_only_counts_up ON events_feed;
DROP FUNCTION feed_only_counts_up();
DROP TRIGGER event_log_is_not_truncated ON events_event;
DROP FUNCTION event_log_is_not_truncated();
DROP TRIGGER event_log_is_append_only ON events_event;
DROP FUNCTION event_log_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
