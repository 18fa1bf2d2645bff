"""Words to search papers by, named interests, links that were renewed; 0005 has the words of the
papers that are there already, and the indexes."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005a"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Words to search by are kept by the database itself: every way in which a paper comes, changes or
# goes is seen to. A paper that only a reader's own library tells of (announced on the first of all
# days) has none. SQLite: a table of FTS5 that holds the index alone, https://sqlite.org/fts5.html;
# what it is told to forget has to be what it was told before, which the triggers know.
_SQLITE_WORDS = """
CREATE VIRTUAL TABLE paper_words USING fts5(
    title, authors, abstract, categories,
    content='', tokenize='porter unicode61 remove_diacritics 2'
)
"""
_LISTED = "(SELECT group_concat(value, ', ') FROM json_each({row}.{column}))"


def _values(row: str) -> str:
    authors, categories = (_LISTED.format(row=row, column=c) for c in ("authors", "categories"))
    return f"{row}.number, {row}.title, {authors}, {row}.abstract, {categories}"


def _learn(row: str) -> str:
    return (
        "INSERT INTO paper_words (rowid, title, authors, abstract, categories) "
        f"SELECT {_values(row)}"
    )


def _forget(row: str) -> str:
    return (
        "INSERT INTO paper_words (paper_words, rowid, title, authors, abstract, categories) "
        f"SELECT 'delete', {_values(row)}"
    )


def _is_public(row: str) -> str:
    return f"{row}.announced > '0001-01-01'"


_READ = ("title", "authors", "abstract", "categories")
_CHANGES = [f"OLD.{column} IS NOT NEW.{column}" for column in _READ]
_ANOTHER = " OR ".join([*_CHANGES, f"({_is_public('OLD')}) IS NOT ({_is_public('NEW')})"])
_SQLITE_TRIGGERS = {
    "paper_words_added": (
        f"AFTER INSERT ON paper WHEN {_is_public('NEW')} BEGIN {_learn('NEW')}; END"
    ),
    "paper_words_changed": (
        f"AFTER UPDATE OF {', '.join(_READ)}, announced ON paper WHEN {_ANOTHER} BEGIN "
        f"{_forget('OLD')} WHERE {_is_public('OLD')}; "
        f"{_learn('NEW')} WHERE {_is_public('NEW')}; END"
    ),
    "paper_words_removed": (
        f"AFTER DELETE ON paper WHEN {_is_public('OLD')} BEGIN {_forget('OLD')}; END"
    ),
}

# PostgreSQL: the same as a table of ours. Marks over letters are taken off, and signs that would
# make one word of several, or of none, part words, as they do in SQLite: it sees host names, paths,
# signed numbers and tags otherwise. A category is no word that a text can have: 'category:cs.cl'.
# The day is there so that nothing has to be looked up in the wide rows of papers.
_PARTED = r"""CASE WHEN octet_length(told) = length(told) THEN told
    ELSE regexp_replace(normalize(told, NFKD), '[\u0300-\u036f]', '', 'g') END"""
for _sign in "-/.@_:+&<=~\\":
    _PARTED = f"replace({_PARTED}, '{_sign}', ' ')"
_POSTGRESQL_PLAIN = f"""
CREATE FUNCTION paper_words_plain(told TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE AS $$
    SELECT {_PARTED}
$$;
"""
_POSTGRESQL_WORDS = r"""
CREATE TABLE paper_words (
    paper_number INTEGER CONSTRAINT pk_paper_words PRIMARY KEY
        CONSTRAINT fk_paper_words_paper_number_paper REFERENCES paper (number) ON DELETE CASCADE,
    announced DATE NOT NULL,
    words TSVECTOR NOT NULL
);
CREATE FUNCTION paper_words_of(paper) RETURNS TSVECTOR LANGUAGE sql IMMUTABLE AS $$
    SELECT setweight(to_tsvector('english', paper_words_plain($1.title)), 'A')
    || setweight(to_tsvector('simple', paper_words_plain(coalesce(
        (SELECT string_agg(name, ' ') FROM json_array_elements_text($1.authors) AS name), ''
    ))), 'B')
    || setweight(to_tsvector('english', paper_words_plain($1.abstract)), 'C')
    || array_to_tsvector(ARRAY(
        SELECT DISTINCT
            'category:' || regexp_replace(lower(btrim(paper_words_plain(part))), '\s+', '.', 'g')
        FROM json_array_elements_text($1.categories) AS category,
        LATERAL (VALUES (category), (split_part(category, '.', 1))) AS parts (part)
    ))
$$;
CREATE FUNCTION paper_words_keep() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.announced > '0001-01-01' THEN
        INSERT INTO paper_words VALUES (NEW.number, NEW.announced, paper_words_of(NEW))
        ON CONFLICT (paper_number)
        DO UPDATE SET announced = EXCLUDED.announced, words = EXCLUDED.words;
    ELSE
        DELETE FROM paper_words WHERE paper_number = NEW.number;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER paper_words_added AFTER INSERT ON paper
    FOR EACH ROW EXECUTE FUNCTION paper_words_keep();
CREATE TRIGGER paper_words_changed
    AFTER UPDATE OF title, authors, abstract, categories, announced ON paper
    FOR EACH ROW WHEN (
        (OLD.title, OLD.abstract, OLD.authors::TEXT, OLD.categories::TEXT, OLD.announced)
        IS DISTINCT FROM
        (NEW.title, NEW.abstract, NEW.authors::TEXT, NEW.categories::TEXT, NEW.announced)
    )
    EXECUTE FUNCTION paper_words_keep();
"""
_NO_POSTGRESQL_WORDS = """
DROP TRIGGER paper_words_added ON paper;
DROP TRIGGER paper_words_changed ON paper;
DROP FUNCTION paper_words_keep();
DROP FUNCTION paper_words_of(paper);
DROP FUNCTION paper_words_plain(TEXT);
DROP TABLE paper_words;
"""


def upgrade() -> None:
    """Forward."""
    op.add_column("subscriber", sa.Column("links_from", sa.DateTime(timezone=True)))
    _add_named_interests()
    _add_form_posts()
    _add_words()


def _add_words() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_POSTGRESQL_PLAIN + _POSTGRESQL_WORDS)
        return
    # In one transaction with the triggers: the index forgets rightly only what it has learnt.
    connection.exec_driver_sql(_SQLITE_WORDS)
    connection.exec_driver_sql(f"{_learn('paper')} FROM paper WHERE {_is_public('paper')}")
    for name, what in _SQLITE_TRIGGERS.items():
        connection.exec_driver_sql(f"CREATE TRIGGER {name} {what}")


def _remove_words() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_NO_POSTGRESQL_WORDS)
        return
    for name in _SQLITE_TRIGGERS:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    connection.exec_driver_sql("DROP TABLE paper_words")


def _add_named_interests() -> None:
    op.create_table(
        "named_interest",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("share", sa.Integer(), nullable=False),
        sa.CheckConstraint("share BETWEEN 1 AND 100", name="ck_named_interest_share"),
        sa.ForeignKeyConstraint(
            ["subscriber_id"],
            ["subscriber.id"],
            name="fk_named_interest_subscriber_id_subscriber",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_named_interest"),
        sa.UniqueConstraint("subscriber_id", "name", name="uq_named_interest_subscriber_id_name"),
    )
    with op.batch_alter_table("interest") as table:
        table.add_column(sa.Column("named_id", sa.Integer()))
        table.create_foreign_key(
            "fk_interest_named_id_named_interest",
            "named_interest",
            ["named_id"],
            ["id"],
            ondelete="CASCADE",
            postgresql_not_valid=True,
        )


def _add_form_posts() -> None:
    op.create_table(
        "form_post",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("form", sa.String(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("posted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_form_post"),
    )
    op.create_index("ix_form_post_address", "form_post", ["address"])
    op.create_index("ix_form_post_posted_at", "form_post", ["posted_at"])


def downgrade() -> None:
    """Back."""
    _remove_words()
    op.drop_table("form_post")
    with op.batch_alter_table("interest") as table:
        table.drop_constraint("fk_interest_named_id_named_interest", type_="foreignkey")
        table.drop_column("named_id")
    op.drop_table("named_interest")
    op.drop_column("subscriber", "links_from")
