"""The audit log: what a row holds, that it stays, and that whoever tampers is found out."""

from __future__ import annotations

import io
import random
import threading

import orjson
import pytest
import structlog
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from core import audit, triggers
from core.audit_check import Check, Fault
from core.models import AuditChain, AuditEvent
from orgs.models import Unit
from tests.factories.accounts import person
from tests.factories.orgs import small_city, unit
from tests.processes import parallel


@pytest.fixture
def bank(db) -> Unit:
    return unit(small_city().community, name="某银行")


def write(bank: Unit, times: int = 1) -> list[AuditEvent]:
    with transaction.atomic():
        return [
            audit.record("orgs.unit.note", bank, by=None, reason=f"第 {n} 次") for n in range(times)
        ]


def faults() -> list[Fault]:
    return [broken.fault for broken in Check().run().broken]


# What a row holds


def test_a_snapshot_of_a_row_that_was_read_in_part_is_that_of_the_whole(bank):
    whole = audit.snapshot(bank)
    assert audit.snapshot(type(bank).objects.only("kind").get(pk=bank.pk)) == whole


def test_a_row_says_who_did_what_to_what_when_and_why(bank):
    by = person("system_admin")
    before = audit.snapshot(bank)
    bank.name = "某商业银行"
    bank.save()
    with structlog.contextvars.bound_contextvars(request_id="req-7"), transaction.atomic():
        event = audit.record(
            "orgs.unit.rename",
            bank,
            by=by,
            before=before,
            after=audit.snapshot(bank),
            reason="更名",
        )
    event.refresh_from_db()
    assert (event.actor_id, event.actor_name) == (by.pk, by.name)
    assert (event.object_type, event.object_id) == ("orgs.unit", str(bank.pk))
    assert (event.object_label, event.reason, event.request_id) == ("某商业银行", "更名", "req-7")
    changed = orjson.loads(event.before), orjson.loads(event.after)
    assert [values["name"] for values in changed] == ["某银行", "某商业银行"]
    assert set(changed[0]) == {"name", "updated_at"}, "columns that stayed are left out"
    assert audit.timeline(bank).last() == event


def test_the_system_is_named_where_no_person_acts(bank):
    assert write(bank)[0].actor_name == "系统"


def test_a_hidden_column_shows_that_it_changed_but_not_to_what(bank):
    before = {"phone": audit.Hidden("13800001234"), "email": audit.Hidden("a@b.cn")}
    after = {"phone": audit.Hidden("13900005678"), "email": audit.Hidden("a@b.cn")}
    with transaction.atomic():
        event = audit.record("orgs.unit.note", bank, by=None, before=before, after=after)
    assert (event.before, event.after) == ('{"phone":"已填"}', '{"phone":"已填"}')


def test_a_password_never_reaches_the_log(db):
    assert audit.snapshot(person("system_admin", password="hunter-22"))["password"] == "已填"


@pytest.mark.django_db(transaction=True)
def test_the_deed_and_its_row_share_a_transaction():
    bank = unit(small_city().community)
    with pytest.raises(transaction.TransactionManagementError):
        audit.record("orgs.unit.note", bank, by=None)


@pytest.mark.parametrize("at_hand", [False, True])
def test_a_deed_done_to_many_is_written_in_a_few_statements(
    bank, at_hand, django_assert_max_num_queries
):
    write(bank)
    entries = (audit.Entry(bank, {}, {"n": n}) for n in range(400))
    with transaction.atomic(), django_assert_max_num_queries(10):
        assert audit.record_many("orgs.unit.note", entries, by=None, at_hand=at_hand) == 400
        assert audit.record_many("orgs.unit.note", [], by=None, at_hand=at_hand) == 0
    noted = AuditEvent.objects.filter(action="orgs.unit.note").exclude(after="{}").order_by("seq")
    assert [row.after for row in noted] == [f'{{"n":{n}}}' for n in range(400)]
    assert not faults()


@pytest.mark.postgres
def test_entries_at_hand_that_ask_the_database_are_told_and_leave_nothing(bank):
    entries = (
        audit.Entry(unit, {}, {"n": 1}) for unit in (Unit.objects.get() for _ in range(2_000))
    )
    with pytest.raises(RuntimeError, match="while it takes in rows"), transaction.atomic():
        audit.record_many("orgs.unit.note", entries, by=None, at_hand=True)
    assert not AuditEvent.objects.filter(action="orgs.unit.note").exists()
    assert not faults()


# That it stays


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_auditevent SET reason = 'x'",
        "UPDATE core_auditevent SET reason = reason",
        "DELETE FROM core_auditevent",
        "DELETE FROM core_auditchain",
        "UPDATE core_auditchain SET seq = 0",
        "UPDATE core_auditchain SET number = number + 1000",
    ],
)
def test_the_database_refuses_to_change_the_log(bank, statement):
    write(bank)
    refuses(statement)


@pytest.mark.postgres
@pytest.mark.parametrize("table", ["core_auditevent", "core_auditchain"])
def test_postgresql_refuses_to_truncate_the_log(bank, table):
    refuses(f"TRUNCATE {table} CASCADE")


def test_replacing_a_row_is_refused_as_well(bank):
    event = write(bank)[0]
    columns = ", ".join(f.column for f in AuditEvent._meta.concrete_fields)
    copied = columns.replace("reason", "'x'")
    verb, conflict = (
        ("INSERT OR REPLACE", "")
        if connection.vendor == "sqlite"
        else ("INSERT", "ON CONFLICT (id) DO UPDATE SET reason = 'x'")
    )
    refuses(
        f"{verb} INTO core_auditevent ({columns})"
        f" SELECT {copied} FROM core_auditevent WHERE id = {event.pk} {conflict}"
    )


def refuses(statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


# That whoever tampers is found out


@pytest.fixture
def lifted(bank):
    """Six rows, and the hands of whoever may switch the triggers off."""
    events = write(bank, 6)
    triggers.drop(connection)
    yield events
    triggers.create(connection)


def named(capsys) -> str:
    """What verify_audit tells, once it has ended with 1."""
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", stdout=out, stderr=out)
    assert ended.value.code == 1
    return out.getvalue()


def test_an_honest_log_verifies(bank, capsys):
    write(bank, 3)
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert f"共核对 {AuditEvent.objects.count()} 条记录" in out.getvalue()


@pytest.mark.parametrize("column", ["reason", "actor_name", "after", "request_id", "object_id"])
def test_changed_content_is_named(lifted, column, capsys, caplog):
    AuditEvent.objects.filter(pk=lifted[2].pk).update(**{column: "9"})
    said = named(capsys)
    assert f"第 {lifted[2].seq} 条（记录编号 {lifted[2].pk}），内容被改动" in said
    logged = caplog.records[0].msg
    assert logged["why"] == "content differs from what was written"
    assert logged["event_id"] == lifted[2].pk


def test_content_changed_and_hashed_anew_without_the_key_is_named(lifted, settings, capsys):
    """Plain hashes could be made to fit from the changed row to the head. Keyed ones cannot."""
    genuine = settings.AUDIT_KEYS
    settings.AUDIT_KEYS = ["a guess"]
    prev = lifted[1].hash
    for event in lifted[2:]:
        event.reason, event.prev_hash = "x", prev
        event.hash = prev = audit.row_hash(event)
        event.save()
    head = AuditChain.objects.get(number=lifted[0].chain)
    head.hash = prev
    head.seal = audit.head_seal(head)
    head.save()
    settings.AUDIT_KEYS = genuine
    assert f"（记录编号 {lifted[2].pk}），内容被改动" in named(capsys)


def test_a_row_removed_in_the_middle_is_named(lifted, capsys):
    lifted[3].delete()
    assert f"（记录编号 {lifted[4].pk}），此前有记录被删除" in named(capsys)


def test_rows_removed_at_the_end_are_named(lifted, capsys):
    for event in lifted[4:]:
        event.delete()
    assert f"第 {lifted[4].seq} 条（记录已不存在），链尾有记录被删除" in named(capsys)


def test_a_tail_cut_off_with_the_head_made_to_fit_is_named(lifted, capsys):
    last = lifted[3]
    for event in lifted[4:]:
        event.delete()
    AuditChain.objects.filter(number=last.chain).update(seq=last.seq, hash=last.hash)
    assert f"第 {last.seq} 条（记录已不存在），链头被改动" in named(capsys)


def test_a_whole_chain_removed_is_named(lifted):
    AuditEvent.objects.filter(chain=lifted[0].chain).delete()
    AuditChain.objects.filter(number=lifted[0].chain).update(seq=0, hash="")
    assert faults() == [Fault.HEAD]
    AuditChain.objects.filter(number=lifted[0].chain).delete()
    assert faults() == [Fault.NO_HEAD]


def test_a_forged_head_is_named(lifted):
    AuditChain.objects.filter(number=lifted[0].chain).update(hash="0" * 64)
    assert faults() == [Fault.HEAD]


def test_a_removed_head_is_named(lifted):
    AuditChain.objects.filter(number=lifted[0].chain).delete()
    assert faults() == [Fault.NO_HEAD]


def test_swapped_rows_are_named(lifted):
    first, second = lifted[2], lifted[3]
    spare = second.seq
    AuditEvent.objects.filter(pk=first.pk).update(seq=1_000_000)
    AuditEvent.objects.filter(pk=second.pk).update(seq=first.seq)
    AuditEvent.objects.filter(pk=first.pk).update(seq=spare)
    broken = Check().run().broken
    assert [(b.event_id, b.fault) for b in broken] == [(second.pk, Fault.CONTENT)]


def test_a_row_taken_from_another_place_of_the_chain_is_named(lifted):
    """A genuine row, hash and all, that stands behind another than it was written behind."""
    victim, donor = lifted[2], lifted[4]
    copy = AuditEvent.objects.get(pk=donor.pk)
    copy.pk, copy.seq = None, victim.seq
    copy.hash = audit.row_hash(copy)
    victim.delete()
    copy.save()
    assert faults() == [Fault.ORDER]


def test_a_row_added_by_hand_is_named(lifted):
    extra = AuditEvent.objects.get(pk=lifted[-1].pk)
    extra.prev_hash, extra.pk, extra.seq = extra.hash, None, extra.seq + 1
    extra.hash = audit.row_hash(extra)
    extra.save()
    broken = Check().run().broken
    assert [(b.event_id, b.fault) for b in broken] == [(extra.pk, Fault.BEYOND)]


def test_rows_written_under_a_former_key_still_verify(bank, settings):
    write(bank, 2)
    settings.AUDIT_KEYS = ["a new key", *settings.AUDIT_KEYS]
    write(bank, 2)
    assert not faults()
    settings.AUDIT_KEYS = settings.AUDIT_KEYS[:1]
    assert Fault.CONTENT in faults()


# Rollback, and writers side by side


@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_no_gap():
    bank = unit(small_city().community)
    kept = AuditEvent.objects.count()
    with transaction.atomic():
        audit.record("orgs.unit.note", bank, by=None)
        transaction.set_rollback(True)
    with transaction.atomic():
        audit.record("orgs.unit.note", bank, by=None)
        with transaction.atomic():
            audit.record("orgs.unit.note", bank, by=None)
            transaction.set_rollback(True)
        audit.record("orgs.unit.note", bank, by=None)
    assert AuditEvent.objects.count() == kept + 2
    assert not faults()


def note_often(bank_id: int, who: int) -> int:
    """In a process of its own: 25 transactions of one to five records each, some rolled back."""
    bank, dice = Unit.objects.get(pk=bank_id), random.Random(who)
    written = 0
    for turn in range(25):
        stays = dice.random() > 0.2
        records = dice.randint(1, 5)
        with transaction.atomic():
            with structlog.contextvars.bound_contextvars(request_id=f"{who}-{turn}"):
                for _ in range(records):
                    audit.record("orgs.unit.note", bank, by=None)
            transaction.set_rollback(not stays)
        written += records if stays else 0
    return written


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_writers_in_several_processes_neither_fork_nor_lose_a_row():
    bank = unit(small_city().community)
    kept = AuditEvent.objects.count()
    futures = parallel(note_often, [(bank.pk, who) for who in range(4)])
    assert AuditEvent.objects.count() == kept + sum(future.result() for future in futures)
    assert not faults()
    rows = AuditEvent.objects.exclude(request_id="").values_list("request_id", "chain")
    transactions = {request for request, _ in rows}
    assert len(set(rows)) == len(transactions), "a transaction stays with one chain"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_open_transactions_do_not_hold_up_another_writer():
    """Twenty transactions sit on their heads; one more writer comes, writes, commits, ends."""
    bank = unit(small_city().community)
    holding, release = threading.Barrier(21), threading.Event()
    failed: list[BaseException] = []

    def hold() -> None:
        try:
            with transaction.atomic():
                audit.record("orgs.unit.note", bank, by=None)
                holding.wait(timeout=30)
                release.wait(timeout=30)
        except BaseException as error:  # noqa: BLE001  (reported below, from a thread)
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=hold) for _ in range(20)]
    for thread in threads:
        thread.start()
    try:
        holding.wait(timeout=30)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '1ms'")  # to wait at all would be an error
            own = audit.record("orgs.unit.note", bank, by=None)
        assert AuditEvent.objects.filter(pk=own.pk).exists()
        assert any(thread.is_alive() for thread in threads)
        assert not faults(), "reading beside open writers finds nothing broken"
    finally:
        release.set()
        for thread in threads:
            thread.join(timeout=30)
    assert not failed
    written = AuditEvent.objects.filter(action="orgs.unit.note")
    assert written.values("chain").distinct().count() == 21
    assert not faults()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_verification_runs_beside_writers():
    bank = unit(small_city().community)
    stop = threading.Event()

    def keep_writing() -> None:
        try:
            while not stop.is_set():
                write(bank, 3)
        finally:
            connection.close()

    writers = [threading.Thread(target=keep_writing) for _ in range(3)]
    for writer in writers:
        writer.start()
    try:
        while AuditEvent.objects.filter(action="orgs.unit.note").count() < 300:
            assert not faults()
    finally:
        stop.set()
        for writer in writers:
            writer.join(timeout=30)
    assert not faults()
