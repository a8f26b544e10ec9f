"""What several folders of tests use; no tests stand here.

A test run loads by itself
    boot             PostgreSQL and Valkey of the run, started before Django reads its settings
    one_worker       keeps the tests of one stack in one process of xdist
    works            the emulator and the stages, run in the process of the test (fixtures)
People and requests
    people           Alice, Bob and the API keys of others
    operators        staff in a browser, with the permissions that a test is about
    probe            two views that do nothing, for tests that count requests
    document         the OpenAPI document, and whether an answer is as it says
    worst_texts      texts that cost the most to fold, match or parse
    walked_forms     a page's forms, each field sent with such texts
    log_reader       our log lines, read again
    receiver         the receiver of webhooks as a process, and what it remembers
    verifiers        the programs that customers verify webhooks with
    scraped          the answer of /metrics, read again
Rows and races
    bring_to         brings a generation into a state by the verbs alone
    deliveries       endpoints and deliveries, as verbs leave them in their tables
    orphan_looks     looks for orphans, and moves the times that decide when
    provoke          breaks a constraint on purpose and says which one it was
    racing           many threads at once, each with a connection of its own
    cutting_proxy    cuts the connection to PostgreSQL exactly at a commit
    loopback         raw servers, a DNS and a record of connects, for the fetcher and its twin
    certificates     a server of TLS that nobody trusts, and a client that does
    forbidden        spellings of addresses that both must never connect to
Model-based tests
    machines         how large they are, by profile
    ledger_model     the rules of wallets and entries in plain Python
    lifecycle_model  the rules of a generation's life in plain Python
    lifecycle_rows   the database in the model's words, and the verbs by its names
    lifecycle_world  the database and its model side by side
    state_walks      every way through the table of states
Files of customers
    images           pictures, friendly and hostile
    metadata         metadata as cameras, phones and editors write it, whole and broken
    profiles         ICC profiles, made byte by byte
    videos           real MP4 files, small enough for a test
The repository itself
    packages         which packages are ours
    pages            pages, comments and docstrings
    compose          docker-compose.yml, Dockerfile and .env.example
    docker_context   what a build takes of the checkout
    ops_words        what ops/ and the runbook speak of
    migration_lint   `make check` runs it: would a migration stop a service in use?
"""
