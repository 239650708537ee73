"""Backup and restore: what a dump holds, and how readers, cursors and kills come through a restore of an older one."""
