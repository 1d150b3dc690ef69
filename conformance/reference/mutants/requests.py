"""Mutants that misread the request line: route, method, encoding of the path, project, version; and odd headers."""

from __future__ import annotations

import re
import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPMethod
from urllib.parse import unquote_to_bytes

from conformance.reference.app import (
    HONEST,
    Call,
    Labels,
    Model,
    Reason,
    Refused,
    Reply,
    SameLiteral,
    Store,
    answer,
    content_types_sent,
    decode_once,
    find_model,
    head_is_well_formed,
    label_is_one_segment,
    literal_decodes_to,
    match_template,
    method_is_post,
    path_of,
    project_has_length,
    project_matches,
    split_at_slashes,
    start_is_hopeless,
    version_matches,
)
from conformance.reference.strains import Mutant

_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_DATE = re.compile(rb"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_OVERLONG = re.compile(rb"%(c[01])%([89ab][0-9a-f])", re.IGNORECASE)
_USUAL_HEADERS = frozenset(
    {
        *(b"host", b"content-type", b"content-length", b"transfer-encoding", b"connection", b"expect"),
        *(b"user-agent", b"accept", b"accept-encoding"),
    }
)


# Which calls are the operation's.


def user_agent_is_required(call: Call) -> None:
    if not call.values(b"user-agent"):
        raise Refused(Reason.FORBIDDEN, "Robots are not welcome.")


def accept_is_required(call: Call) -> None:
    if not call.values(b"accept"):
        raise Refused(Reason.FORBIDDEN, "Say what you accept.")


def accept_must_spell_out_json(call: Call) -> None:
    if any(b"application/json" not in value.lower() for value in call.values(b"accept")):
        raise Refused(Reason.FORBIDDEN, "Only application/json is offered.")


def unknown_headers_are_refused(call: Call) -> None:
    if not {name.lower() for name, _ in call.headers} <= _USUAL_HEADERS:
        raise Refused(Reason.MALFORMED, "There is an unknown header.")


def headers_past_ascii_crash(call: Call) -> None:
    for _, value in call.headers:
        value.decode("ascii")


def empty_headers_crash(call: Call) -> None:
    for name, value in call.headers:
        if name.lower() != b"content-type":
            value.split()[0]


def header_names_have_case(call: Call) -> Sequence[str]:
    return content_types_sent(replace(call, headers=tuple(pair for pair in call.headers if pair[0] == b"Content-Type")))


def more_than_twenty_headers_are_refused(call: Call) -> None:
    if len(call.headers) > 20:
        raise Refused(Reason.MALFORMED, "There are too many headers.")


def any_date_is_served(segment: bytes, literal: bytes) -> bool:
    return literal_decodes_to(_DATE.sub(b"2020-11-20", segment), literal)


def literals_have_no_case(segment: bytes, literal: bytes) -> bool:
    return literal_decodes_to(segment.lower(), literal)


def literals_may_be_longer(segment: bytes, literal: bytes) -> bool:
    return unquote_to_bytes(segment).startswith(literal)


def literals_may_end_in_a_newline(segment: bytes, literal: bytes) -> bool:
    return re.match(re.escape(literal) + rb"$", unquote_to_bytes(segment)) is not None


def literals_are_trimmed(segment: bytes, literal: bytes) -> bool:
    return unquote_to_bytes(segment).strip() == literal


def literals_may_be_singular(segment: bytes, literal: bytes) -> bool:
    return literal_decodes_to(segment, literal) or segment + b"s" == literal


def literals_may_have_a_file_suffix(segment: bytes, literal: bytes) -> bool:
    return unquote_to_bytes(segment).partition(b".")[0] == literal


def date_may_be_missing(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    return match_template(segments, same) or match_template((b"", b"2020-11-20", *segments[1:]), same)


def models_may_be_missing(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    return match_template(segments, same) or match_template((*segments[:4], b"models", *segments[4:]), same)


def detect_may_be_missing(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    return match_template(segments, same) or match_template((*segments, b"detect"), same)


def more_may_follow(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    return match_template(segments[:7], same)


def more_may_precede(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    return match_template((b"", *segments[-6:]), same)


def last_project_segment_counts(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    return match_template((*segments[:3], *segments[-4:]), same)


def doubled_slashes_are_merged(target: bytes) -> bytes:
    return re.sub(rb"//+", b"/", path_of(target))


def query_crashes(target: bytes) -> bytes:
    (path,) = target.split(b"?")
    return path_of(path)


def target_without_a_slash_crashes(target: bytes) -> bytes:
    if not target.startswith(b"/"):
        raise ValueError(target)
    return path_of(target)


def encoded_question_mark_starts_the_query(target: bytes) -> bytes:
    return re.split(rb"%3[Ff]", path_of(target))[0]


def path_parameters_are_dropped(target: bytes) -> bytes:
    return re.sub(rb";[^/]*", b"", path_of(target))


# Methods.


def get_is_served(method: bytes) -> bool:
    return method in (b"GET", b"POST")


def put_is_served(method: bytes) -> bool:
    return method in (b"PUT", b"POST")


def every_method_is_served(_method: bytes) -> bool:
    return True


def unheard_of_methods_are_served(method: bytes) -> bool:
    return method_is_post(method) or method.decode() not in set(HTTPMethod)


def unheard_of_methods_crash(method: bytes) -> bool:
    return HTTPMethod(method.decode()) is HTTPMethod.POST


def method_need_only_begin_with_post(method: bytes) -> bool:
    return method.startswith(b"POST")


def method_has_no_case(method: bytes) -> bool:
    return method_is_post(method.upper())


def _shouted(head: bytes) -> bytes:
    method, space, rest = head.partition(b" ")
    return method.upper() + space + rest


def head_in_small_letters_is_well_formed(head: bytes) -> bool:
    return head_is_well_formed(_shouted(head))


def start_in_small_letters_is_hopeful(start: bytes) -> bool:
    return start_is_hopeless(_shouted(start))


def header_makes_it_a_post(call: Call, reply: Reply) -> Reply:
    if b"POST" in call.values(b"x-http-method-override"):
        return answer(replace(call, method=b"POST"))
    return reply


# The encoding of the path.


def _climbed(segments: Sequence[bytes], up: Sequence[bytes]) -> Sequence[bytes]:
    kept: list[bytes] = []
    for segment in segments:
        kept = kept[:-1] if segment in up else [*kept, segment]
    return kept


def dots_climb(path: bytes) -> Sequence[bytes]:
    return _climbed(split_at_slashes(path), (b"..",))


def encoded_dots_climb(path: bytes) -> Sequence[bytes]:
    return _climbed(split_at_slashes(path.replace(b"%2E", b"%2e")), (b"%2e%2e",))


def single_dots_are_dropped(path: bytes) -> Sequence[bytes]:
    return [segment for segment in split_at_slashes(path) if segment != b"."]


def encoded_slashes_separate(path: bytes) -> Sequence[bytes]:
    return split_at_slashes(re.sub(rb"%2[Ff]", b"/", path))


def encoded_backslashes_separate(path: bytes) -> Sequence[bytes]:
    return split_at_slashes(re.sub(rb"%5[Cc]", b"/", path))


def labels_are_decoded_twice(label: bytes) -> str:
    return decode_once(decode_once(label).encode())


def labels_are_not_decoded(label: bytes) -> str:
    return label.decode("latin-1")


def hex_in_small_letters_is_not_decoded(label: bytes) -> str:
    return decode_once(re.sub(rb"%(?=[a-f]|[0-9A-F][a-f])", b"%25", label))


def first_escape_alone_is_decoded(label: bytes) -> str:
    plain, mark, rest = label.partition(b"%")
    return decode_once(plain + mark + rest.replace(b"%", b"%25"))


def versions_are_not_decoded(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    labels = match_template(segments, same)
    return labels and (labels[0], labels[1].replace(b"%", b"%25"))


def labels_are_measured_before_decoding(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    labels = match_template(segments, same)
    if labels and (len(labels[0]) > 255 or len(labels[1]) > 10):
        raise Refused(Reason.PATH, "projectName or modelVersion is too long.")
    return labels


def bad_utf8_is_skipped(label: bytes) -> str:
    return unquote_to_bytes(label).decode("utf-8", "ignore")


def bad_utf8_crashes(label: bytes) -> str:
    return unquote_to_bytes(label).decode("utf-8")


def overlong_utf8_is_decoded(label: bytes) -> str:
    def shortest(pair: re.Match[bytes]) -> bytes:
        return b"%%%02x" % (int(pair[1], 16) % 4 * 64 + int(pair[2], 16) % 64)

    return decode_once(_OVERLONG.sub(shortest, label))


def broken_escapes_are_dropped(label: bytes) -> str:
    return decode_once(_BROKEN_PERCENT.sub(b"", label))


def broken_escapes_crash(label: bytes) -> str:
    if _BROKEN_PERCENT.search(label):
        raise ValueError(label)
    return decode_once(label)


def nul_ends_the_label(label: bytes) -> str:
    return decode_once(label).partition("\0")[0]


def nul_crashes(label: str) -> bool:
    if "\0" in label:
        raise ValueError("embedded null character")
    return label_is_one_segment(label)


def encoded_slashes_crash(label: str) -> bool:
    (only,) = label.split("/")
    return label_is_one_segment(only)


def label_is_what_follows_the_last_slash(label: bytes) -> str:
    return decode_once(label).rpartition("/")[2]


def labels_are_trimmed(label: bytes) -> str:
    return decode_once(label).strip()


def labels_are_normalised(label: bytes) -> str:
    return unicodedata.normalize("NFKC", decode_once(label))


# Project names.


def names_are_not_validated(_name: str) -> bool:
    return True


def part_of_a_name_is_enough(name: str) -> bool:
    return re.search(r"[a-zA-Z0-9][a-zA-Z0-9_\-]*", name) is not None


def start_of_a_name_is_enough(name: str) -> bool:
    return re.match(r"[a-zA-Z0-9][a-zA-Z0-9_\-]*", name) is not None


def names_may_end_in_a_newline(name: str) -> bool:
    return re.match(r"[a-zA-Z0-9][a-zA-Z0-9_\-]*$", name) is not None


def one_line_of_a_name_is_enough(name: str) -> bool:
    return re.search(r"^[a-zA-Z0-9][a-zA-Z0-9_\-]*$", name, re.MULTILINE) is not None


def names_have_letters_of_every_alphabet(name: str) -> bool:
    return re.fullmatch(r"[^\W_][\w\-]*", name) is not None


def kelvin_is_a_letter(name: str) -> bool:
    return re.fullmatch(r"[a-z0-9][a-z0-9_\-]*", name, re.IGNORECASE) is not None


def letters_run_from_capital_to_small(name: str) -> bool:
    return re.fullmatch(r"[A-z0-9][A-z0-9_\-]*", name) is not None


def names_may_have_dots(name: str) -> bool:
    return project_matches(name.replace(".", "-"))


def names_may_begin_with_a_dash(name: str) -> bool:
    return re.fullmatch(r"[a-zA-Z0-9_\-]+", name) is not None


def names_have_at_most_256_characters(name: str) -> bool:
    return 1 <= len(name) <= 256


def names_are_never_too_long(name: str) -> bool:
    return len(name) > 0


def names_have_less_than_255_characters(name: str) -> bool:
    return 1 <= len(name) < 255


def names_have_at_most_63_characters(name: str) -> bool:
    return 1 <= len(name) <= 63


def names_have_at_least_3_characters(name: str) -> bool:
    return 3 <= len(name) <= 255


def names_are_names_of_files(name: str) -> bool:
    if len(f"{name}.json") > 255:
        raise OSError(36, "File name too long")
    return project_has_length(name)


def empty_name_is_the_first_project(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    labels = match_template(segments, same)
    return labels and (labels[0] or b"cookies", labels[1])


def names_have_no_hyphen(name: str) -> bool:
    return project_matches(name) and "-" not in name


def names_have_no_underscore(name: str) -> bool:
    return project_matches(name) and "_" not in name


def names_have_no_capitals(name: str) -> bool:
    return project_matches(name) and name == name.lower()


def names_begin_with_a_letter(name: str) -> bool:
    return project_matches(name) and not name[0].isdecimal()


def names_do_not_end_in_a_dash(name: str) -> bool:
    return project_matches(name) and name[-1] not in "-_"


def names_of_digits_are_positions(store: Store, project: str, version: str) -> Model:
    return find_model(store, store[int(project)].project if project.isdecimal() else project, version)


# Versions.


def versions_are_not_validated(_version: str) -> bool:
    return True


def part_of_a_version_is_enough(version: str) -> bool:
    return re.search(r"[1-9][0-9]*|latest", version) is not None


def start_of_a_version_is_enough(version: str) -> bool:
    return re.match(r"[1-9][0-9]*|latest", version) is not None


def anchors_bind_tighter_than_the_bar(version: str) -> bool:
    return re.search(r"\A[1-9][0-9]*|latest\Z", version) is not None


def versions_may_end_in_a_newline(version: str) -> bool:
    return re.match(r"([1-9][0-9]*|latest)$", version) is not None


def zero_is_a_version(version: str) -> bool:
    return version == "0" or version_matches(version)


def versions_may_begin_with_zeros(version: str) -> bool:
    return version_matches(version.lstrip("0"))


def zeros_before_a_version_are_nothing(store: Store, project: str, version: str) -> Model:
    return find_model(store, project, version.lstrip("0"))


def versions_are_what_int_takes(version: str) -> bool:
    try:
        return version == "latest" or int(version) is not None
    except ValueError:
        return False


def versions_are_read_by_int(store: Store, project: str, version: str) -> Model:
    return find_model(store, project, version if version == "latest" else str(int(version)))


def versions_have_digits_of_every_script(version: str) -> bool:
    return version == "latest" or re.fullmatch(r"(?!0)\d+", version) is not None


def latest_has_no_case(version: str) -> bool:
    return version_matches(version.lower())


def latest_is_looked_up_without_case(store: Store, project: str, version: str) -> Model:
    return find_model(store, project, version.lower())


def versions_may_begin_with_v(version: str) -> bool:
    return version_matches(version.removeprefix("v"))


def versions_are_looked_up_without_v(store: Store, project: str, version: str) -> Model:
    return find_model(store, project, version.removeprefix("v"))


def versions_have_at_most_11_characters(version: str) -> bool:
    return 1 <= len(version) <= 11


def versions_are_never_too_long(version: str) -> bool:
    return len(version) > 0


def versions_have_less_than_10_characters(version: str) -> bool:
    return 1 <= len(version) < 10


def empty_version_is_the_latest(segments: Sequence[bytes], same: SameLiteral) -> Labels | None:
    labels = match_template(segments, same)
    return labels and (labels[0], labels[1] or b"latest")


def versions_past_31_bits_crash(version: str) -> bool:
    return version_matches(version) and (version == "latest" or len(struct.pack("i", int(version))) > 0)


def versions_past_31_bits_are_refused(version: str) -> bool:
    return version_matches(version) and (version == "latest" or int(version) < 2**31)


def versions_past_32_bits_are_refused(version: str) -> bool:
    return version_matches(version) and (version == "latest" or int(version) < 2**32)


def latest_is_refused(version: str) -> bool:
    return version_matches(version) and version != "latest"


def latest_crashes(store: Store, project: str, version: str) -> Model:
    return find_model(store, project, str(int(version)))


MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "user-agent-is-required",
        "A request without User-Agent is turned away as a robot's.",
        ("route.operation",),
        replace(HONEST, admit=user_agent_is_required),
    ),
    Mutant(
        "accept-is-required",
        "A request without Accept is turned away.",
        ("route.operation",),
        replace(HONEST, admit=accept_is_required),
    ),
    Mutant(
        "accept-must-spell-out-json",
        "An Accept that does not contain application/json, such as */*, is turned away.",
        ("route.operation",),
        replace(HONEST, admit=accept_must_spell_out_json),
    ),
    Mutant(
        "unknown-headers-are-refused",
        "A request with a header that the server does not know is turned away.",
        ("route.operation",),
        replace(HONEST, admit=unknown_headers_are_refused),
    ),
    Mutant(
        "headers-past-ascii-crash",
        "Header values are decoded as ASCII, so a legal byte past it is a server error.",
        ("route.operation", "error.blame"),
        replace(HONEST, admit=headers_past_ascii_crash),
    ),
    Mutant(
        "empty-headers-crash",
        "The first word of every header value is taken, so an empty header is a server error.",
        ("route.operation", "error.blame"),
        replace(HONEST, admit=empty_headers_crash),
    ),
    Mutant(
        "header-names-have-case",
        "Content-Type is only seen when it is spelt with these capitals.",
        ("route.operation",),
        replace(HONEST, content_types=header_names_have_case),
    ),
    Mutant(
        "more-than-twenty-headers-are-refused",
        "A request with more than 20 headers is turned away.",
        ("route.operation",),
        replace(HONEST, admit=more_than_twenty_headers_are_refused),
    ),
    Mutant(
        "heads-over-4-kib-are-refused",
        "A head of more than 4 KiB is answered 431.",
        ("route.operation",),
        replace(HONEST, max_head=4096),
    ),
    Mutant(
        "any-date-is-served",
        "The first segment may be any date.",
        ("route.literals",),
        replace(HONEST, same_literal=any_date_is_served),
    ),
    Mutant(
        "literals-have-no-case",
        "PROJECTS and Detect are served like projects and detect.",
        ("route.literals",),
        replace(HONEST, same_literal=literals_have_no_case),
    ),
    Mutant(
        "literals-may-be-longer",
        "Literals are compared by their start, so detector is served like detect.",
        ("route.literals",),
        replace(HONEST, same_literal=literals_may_be_longer),
    ),
    Mutant(
        "literals-may-end-in-a-newline",
        "Literals are matched by a pattern ending in $, which lets a newline pass.",
        ("route.literals",),
        replace(HONEST, same_literal=literals_may_end_in_a_newline),
    ),
    Mutant(
        "literals-are-trimmed",
        "Encoded white space around a literal is dropped.",
        ("route.literals",),
        replace(HONEST, same_literal=literals_are_trimmed),
    ),
    Mutant(
        "literals-may-be-singular",
        "The path with project or model is served like the one with projects and models.",
        ("route.literals",),
        replace(HONEST, same_literal=literals_may_be_singular),
    ),
    Mutant(
        "literals-may-have-a-file-suffix",
        "What follows a dot in a literal is dropped, so detect.json is served.",
        ("route.literals",),
        replace(HONEST, same_literal=literals_may_have_a_file_suffix),
    ),
    Mutant(
        "date-may-be-missing",
        "The path is served without its first segment too.",
        ("route.literals",),
        replace(HONEST, route=date_may_be_missing),
    ),
    Mutant(
        "models-may-be-missing",
        "The path is served without the segment models too.",
        ("route.literals",),
        replace(HONEST, route=models_may_be_missing),
    ),
    Mutant(
        "detect-may-be-missing",
        "The path is served without its last segment too.",
        ("route.literals",),
        replace(HONEST, route=detect_may_be_missing),
    ),
    Mutant(
        "more-may-follow",
        "The route matches by its start, whatever segments follow.",
        ("route.literals",),
        replace(HONEST, route=more_may_follow),
    ),
    Mutant(
        "more-may-precede",
        "The route matches by its end, whatever segments precede it.",
        ("route.literals",),
        replace(HONEST, route=more_may_precede),
    ),
    Mutant(
        "last-project-segment-counts",
        "A greedy route lets several segments stand for the project, and takes the last of them.",
        ("route.literals",),
        replace(HONEST, route=last_project_segment_counts),
    ),
    Mutant(
        "doubled-slashes-are-merged",
        "Slashes in a row count as one.",
        ("route.literals",),
        replace(HONEST, path=doubled_slashes_are_merged),
    ),
    Mutant(
        "query-crashes",
        "The path is unpacked from the target as if there never were a query: one is a server error.",
        ("error.blame",),
        replace(HONEST, path=query_crashes),
    ),
    Mutant(
        "target-without-a-slash-crashes",
        "A target that does not begin with a slash, such as an absolute one, is a server error.",
        ("error.blame",),
        replace(HONEST, path=target_without_a_slash_crashes),
    ),
    Mutant(
        "encoded-question-mark-starts-the-query",
        "The query is cut off after decoding, so that detect%3Fx is served.",
        ("route.literals",),
        replace(HONEST, path=encoded_question_mark_starts_the_query),
    ),
    Mutant(
        "path-parameters-are-dropped",
        "What follows a semicolon in a segment is dropped, as servlet containers do.",
        ("project.pattern", "version.pattern", "route.literals"),
        replace(HONEST, path=path_parameters_are_dropped),
    ),
    Mutant(
        "get-is-served",
        "GET with an image is served like POST.",
        ("route.method",),
        replace(HONEST, method_accepted=get_is_served),
    ),
    Mutant(
        "put-is-served",
        "PUT is served like POST.",
        ("route.method",),
        replace(HONEST, method_accepted=put_is_served),
    ),
    Mutant(
        "every-method-is-served",
        "The method is not looked at.",
        ("route.method",),
        replace(HONEST, method_accepted=every_method_is_served),
    ),
    Mutant(
        "unheard-of-methods-are-served",
        "Only the other registered methods are refused, and any invented one is served.",
        ("route.method",),
        replace(HONEST, method_accepted=unheard_of_methods_are_served),
    ),
    Mutant(
        "unheard-of-methods-crash",
        "A method that is not in the list of registered ones is a server error.",
        ("error.blame",),
        replace(HONEST, method_accepted=unheard_of_methods_crash),
    ),
    Mutant(
        "method-need-only-begin-with-post",
        "POSTER is served like POST.",
        ("route.method",),
        replace(HONEST, method_accepted=method_need_only_begin_with_post),
    ),
    Mutant(
        "method-has-no-case",
        "The method post is served like POST.",
        ("route.method",),
        replace(
            HONEST,
            method_accepted=method_has_no_case,
            well_formed=head_in_small_letters_is_well_formed,
            hopeless=start_in_small_letters_is_hopeful,
        ),
    ),
    Mutant(
        "header-makes-it-a-post",
        "Any method is served with X-HTTP-Method-Override: POST.",
        ("route.method",),
        replace(HONEST, finish=header_makes_it_a_post),
    ),
    Mutant(
        "dots-climb",
        "The segment .. removes the one before it.",
        ("path.encoding", "route.literals"),
        replace(HONEST, segments=dots_climb),
    ),
    Mutant(
        "encoded-dots-climb",
        "The segment %2E%2E removes the one before it.",
        ("path.encoding", "route.literals"),
        replace(HONEST, segments=encoded_dots_climb),
    ),
    Mutant(
        "single-dots-are-dropped",
        "The segment . is dropped.",
        ("path.encoding", "route.literals"),
        replace(HONEST, segments=single_dots_are_dropped),
    ),
    Mutant(
        "encoded-slashes-separate",
        "The path is decoded before it is split, so that %2F separates segments.",
        ("path.encoding", "route.literals"),
        replace(HONEST, segments=encoded_slashes_separate),
    ),
    Mutant(
        "encoded-backslashes-separate",
        "An encoded backslash separates segments as a slash does.",
        ("route.literals",),
        replace(HONEST, segments=encoded_backslashes_separate),
    ),
    Mutant(
        "labels-are-decoded-twice",
        "A label is percent-decoded twice, so that %2563ookies is cookies.",
        ("project.pattern", "version.pattern"),
        replace(HONEST, decode_label=labels_are_decoded_twice),
    ),
    Mutant(
        "labels-are-not-decoded",
        "A label is taken as it stands on the wire.",
        ("path.unreserved",),
        replace(HONEST, decode_label=labels_are_not_decoded),
    ),
    Mutant(
        "hex-in-small-letters-is-not-decoded",
        "%6F is decoded and %6f is not.",
        ("path.unreserved",),
        replace(HONEST, decode_label=hex_in_small_letters_is_not_decoded),
    ),
    Mutant(
        "first-escape-alone-is-decoded",
        "Only the first percent-encoded character of a label is decoded.",
        ("path.unreserved",),
        replace(HONEST, decode_label=first_escape_alone_is_decoded),
    ),
    Mutant(
        "versions-are-not-decoded",
        "The project is percent-decoded and the version is not.",
        ("path.unreserved",),
        replace(HONEST, route=versions_are_not_decoded),
    ),
    Mutant(
        "labels-are-measured-before-decoding",
        "The three bytes of a percent-encoded character count as three characters.",
        ("path.unreserved",),
        replace(HONEST, route=labels_are_measured_before_decoding),
    ),
    Mutant(
        "bad-utf8-is-skipped",
        "Bytes of a label that are not UTF-8 are left out.",
        ("path.encoding",),
        replace(HONEST, decode_label=bad_utf8_is_skipped),
    ),
    Mutant(
        "bad-utf8-crashes",
        "A label that is not UTF-8 is a server error.",
        ("path.encoding", "error.blame"),
        replace(HONEST, decode_label=bad_utf8_crashes),
    ),
    Mutant(
        "overlong-utf8-is-decoded",
        "ASCII written as two bytes of UTF-8 is taken for what it means.",
        ("path.encoding",),
        replace(HONEST, decode_label=overlong_utf8_is_decoded),
    ),
    Mutant(
        "broken-escapes-are-dropped",
        "A percent sign without two hex digits is left out.",
        ("path.encoding",),
        replace(HONEST, decode_label=broken_escapes_are_dropped),
    ),
    Mutant(
        "broken-escapes-crash",
        "A percent sign without two hex digits is a server error.",
        ("path.encoding", "error.blame"),
        replace(HONEST, decode_label=broken_escapes_crash),
    ),
    Mutant(
        "nul-ends-the-label",
        "A label ends at its first NUL, as strings do in C.",
        ("path.encoding",),
        replace(HONEST, decode_label=nul_ends_the_label),
    ),
    Mutant(
        "nul-crashes",
        "A NUL in a label is a server error.",
        ("path.encoding", "error.blame"),
        replace(HONEST, label_accepted=nul_crashes),
    ),
    Mutant(
        "encoded-slashes-crash",
        "An encoded slash in a label is a server error.",
        ("path.encoding", "error.blame"),
        replace(HONEST, label_accepted=encoded_slashes_crash),
    ),
    Mutant(
        "label-is-what-follows-the-last-slash",
        "Of a label with an encoded slash only the last part counts.",
        ("path.encoding",),
        replace(HONEST, decode_label=label_is_what_follows_the_last_slash),
    ),
    Mutant(
        "labels-are-trimmed",
        "Encoded white space around a label is dropped.",
        ("project.pattern", "version.pattern"),
        replace(HONEST, decode_label=labels_are_trimmed),
    ),
    Mutant(
        "labels-are-normalised",
        "Labels are normalised by NFKC, so that full-width letters and digits are ASCII.",
        ("project.pattern", "version.pattern"),
        replace(HONEST, decode_label=labels_are_normalised),
    ),
    Mutant(
        "names-are-not-validated",
        "A name outside the pattern is looked up and not found.",
        ("project.pattern",),
        replace(HONEST, project_pattern=names_are_not_validated),
    ),
    Mutant(
        "part-of-a-name-is-enough",
        "The pattern is searched for anywhere in the name.",
        ("project.pattern",),
        replace(HONEST, project_pattern=part_of_a_name_is_enough),
    ),
    Mutant(
        "start-of-a-name-is-enough",
        "The pattern is not anchored at the end of the name.",
        ("project.pattern",),
        replace(HONEST, project_pattern=start_of_a_name_is_enough),
    ),
    Mutant(
        "names-may-end-in-a-newline",
        "The pattern ends in $, which lets a newline pass.",
        ("project.pattern",),
        replace(HONEST, project_pattern=names_may_end_in_a_newline),
    ),
    Mutant(
        "one-line-of-a-name-is-enough",
        "The pattern is anchored at lines, so one good line of the name is enough.",
        ("project.pattern",),
        replace(HONEST, project_pattern=one_line_of_a_name_is_enough),
    ),
    Mutant(
        "names-have-letters-of-every-alphabet",
        r"The pattern is written with \w, which takes Unicode letters and digits.",
        ("project.pattern",),
        replace(HONEST, project_pattern=names_have_letters_of_every_alphabet),
    ),
    Mutant(
        "kelvin-is-a-letter",
        "The pattern ignores case by Unicode's rules, which takes the Kelvin sign and the long s.",
        ("project.pattern",),
        replace(HONEST, project_pattern=kelvin_is_a_letter),
    ),
    Mutant(
        "letters-run-from-capital-to-small",
        "The pattern is written with A-z, which takes [, ], ^ and others too.",
        ("project.pattern",),
        replace(HONEST, project_pattern=letters_run_from_capital_to_small),
    ),
    Mutant(
        "names-may-have-dots",
        "A name may have dots.",
        ("project.pattern",),
        replace(HONEST, project_pattern=names_may_have_dots),
    ),
    Mutant(
        "names-may-begin-with-a-dash",
        "The first character of a name may be a hyphen or an underscore.",
        ("project.pattern",),
        replace(HONEST, project_pattern=names_may_begin_with_a_dash),
    ),
    Mutant(
        "names-have-at-most-256-characters",
        "A name of 256 characters is looked up.",
        ("project.length",),
        replace(HONEST, project_length=names_have_at_most_256_characters),
    ),
    Mutant(
        "names-are-never-too-long",
        "A name of any length is looked up.",
        ("project.length",),
        replace(HONEST, project_length=names_are_never_too_long),
    ),
    Mutant(
        "names-have-less-than-255-characters",
        "A name of 255 characters is refused.",
        ("project.accepted",),
        replace(HONEST, project_length=names_have_less_than_255_characters),
    ),
    Mutant(
        "names-have-at-most-63-characters",
        "A name must fit into a label of a host name.",
        ("project.accepted",),
        replace(HONEST, project_length=names_have_at_most_63_characters),
    ),
    Mutant(
        "names-have-at-least-3-characters",
        "A name of one or two characters is refused.",
        ("project.accepted",),
        replace(HONEST, project_length=names_have_at_least_3_characters),
    ),
    Mutant(
        "names-are-names-of-files",
        "A name that is too long for a file with its suffix is a server error.",
        ("project.accepted", "error.blame"),
        replace(HONEST, project_length=names_are_names_of_files),
    ),
    Mutant(
        "empty-name-is-the-first-project",
        "An empty project segment stands for the first project.",
        ("project.length", "route.literals"),
        replace(HONEST, route=empty_name_is_the_first_project),
    ),
    Mutant(
        "names-have-no-hyphen",
        "A name with a hyphen is refused.",
        ("project.accepted",),
        replace(HONEST, project_pattern=names_have_no_hyphen),
    ),
    Mutant(
        "names-have-no-underscore",
        "A name with an underscore is refused.",
        ("project.accepted",),
        replace(HONEST, project_pattern=names_have_no_underscore),
    ),
    Mutant(
        "names-have-no-capitals",
        "A name with a capital letter is refused.",
        ("project.accepted",),
        replace(HONEST, project_pattern=names_have_no_capitals),
    ),
    Mutant(
        "names-begin-with-a-letter",
        "A name that begins with a digit is refused.",
        ("project.accepted",),
        replace(HONEST, project_pattern=names_begin_with_a_letter),
    ),
    Mutant(
        "names-do-not-end-in-a-dash",
        "A name that ends in a hyphen or an underscore is refused.",
        ("project.accepted",),
        replace(HONEST, project_pattern=names_do_not_end_in_a_dash),
    ),
    Mutant(
        "names-of-digits-are-positions",
        "A name of digits is taken for a position in the list of projects, and one past its end is a server error.",
        ("project.accepted", "error.blame"),
        replace(HONEST, find_model=names_of_digits_are_positions),
    ),
    Mutant(
        "versions-are-not-validated",
        "A version outside the pattern is looked up and not found.",
        ("version.pattern",),
        replace(HONEST, version_pattern=versions_are_not_validated),
    ),
    Mutant(
        "part-of-a-version-is-enough",
        "The pattern is searched for anywhere in the version.",
        ("version.pattern",),
        replace(HONEST, version_pattern=part_of_a_version_is_enough),
    ),
    Mutant(
        "start-of-a-version-is-enough",
        "The pattern is not anchored at the end of the version.",
        ("version.pattern",),
        replace(HONEST, version_pattern=start_of_a_version_is_enough),
    ),
    Mutant(
        "anchors-bind-tighter-than-the-bar",
        "The pattern lacks its parentheses, so that 1x and xlatest match.",
        ("version.pattern",),
        replace(HONEST, version_pattern=anchors_bind_tighter_than_the_bar),
    ),
    Mutant(
        "versions-may-end-in-a-newline",
        "The pattern ends in $, which lets a newline pass.",
        ("version.pattern",),
        replace(HONEST, version_pattern=versions_may_end_in_a_newline),
    ),
    Mutant(
        "zero-is-a-version",
        "The version 0 is looked up.",
        ("version.pattern",),
        replace(HONEST, version_pattern=zero_is_a_version),
    ),
    Mutant(
        "versions-may-begin-with-zeros",
        "The version 01 is served as 1.",
        ("version.pattern",),
        replace(HONEST, version_pattern=versions_may_begin_with_zeros, find_model=zeros_before_a_version_are_nothing),
    ),
    Mutant(
        "versions-are-what-int-takes",
        "Whatever int() takes for a number is one: +1, 1_0, 01 and digits of other scripts.",
        ("version.pattern",),
        replace(HONEST, version_pattern=versions_are_what_int_takes, find_model=versions_are_read_by_int),
    ),
    Mutant(
        "versions-have-digits-of-every-script",
        r"The pattern is written with \d, which takes the digits of every script.",
        ("version.pattern",),
        replace(HONEST, version_pattern=versions_have_digits_of_every_script),
    ),
    Mutant(
        "latest-has-no-case",
        "LATEST is served like latest.",
        ("version.pattern",),
        replace(HONEST, version_pattern=latest_has_no_case, find_model=latest_is_looked_up_without_case),
    ),
    Mutant(
        "versions-may-begin-with-v",
        "The version v1 is served as 1.",
        ("version.pattern",),
        replace(HONEST, version_pattern=versions_may_begin_with_v, find_model=versions_are_looked_up_without_v),
    ),
    Mutant(
        "versions-have-at-most-11-characters",
        "A version of 11 digits is looked up.",
        ("version.length",),
        replace(HONEST, version_length=versions_have_at_most_11_characters),
    ),
    Mutant(
        "versions-are-never-too-long",
        "A version of any length is looked up.",
        ("version.length",),
        replace(HONEST, version_length=versions_are_never_too_long),
    ),
    Mutant(
        "versions-have-less-than-10-characters",
        "A version of 10 digits is refused.",
        ("version.accepted",),
        replace(HONEST, version_length=versions_have_less_than_10_characters),
    ),
    Mutant(
        "empty-version-is-the-latest",
        "An empty version segment stands for latest.",
        ("version.length", "route.literals"),
        replace(HONEST, route=empty_version_is_the_latest),
    ),
    Mutant(
        "versions-past-31-bits-crash",
        "A version that does not fit into a signed integer of 32 bits is a server error.",
        ("version.accepted", "error.blame"),
        replace(HONEST, version_pattern=versions_past_31_bits_crash),
    ),
    Mutant(
        "versions-past-31-bits-are-refused",
        "A version that does not fit into a signed integer of 32 bits is refused as invalid.",
        ("version.accepted",),
        replace(HONEST, version_pattern=versions_past_31_bits_are_refused),
    ),
    Mutant(
        "versions-past-32-bits-are-refused",
        "A version that does not fit into an unsigned integer of 32 bits is refused as invalid.",
        ("version.accepted",),
        replace(HONEST, version_pattern=versions_past_32_bits_are_refused),
    ),
    Mutant(
        "latest-is-refused",
        "The version latest is refused as invalid.",
        ("version.accepted",),
        replace(HONEST, version_pattern=latest_is_refused),
    ),
    Mutant(
        "latest-crashes",
        "The version latest is read as a number, and that is a server error.",
        ("version.accepted", "error.blame"),
        replace(HONEST, find_model=latest_crashes),
    ),
)
