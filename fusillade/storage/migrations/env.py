"""Alembic's entry: runs the migrations on the connection that ``database.upgrade`` gives."""

from alembic import context

from fusillade.storage.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
