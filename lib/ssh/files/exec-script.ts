import { shellQuote } from "../quote.ts";
import { BACKUP_TIME_GLOB, STALE_LOCK_SECONDS } from "./file-names.ts";

/** What every line of a script begins with that speaks to us and not to a person. */
export const MARK = "ai-server:";

/**
 * A script with its words as one command. It is one line without quotes or backslashes that a login
 * shell could take for its own, whichever shell that is.
 */
export function shellScript(lines: readonly string[], words: readonly string[]): string {
	return ["sh", "-c", lines.join(" "), "sh", ...words].map(quoteUnlessPlain).join(" ");
}

/** `$1` is the path; sets `f` to the file, or says what is wrong with it. */
const FIND: readonly string[] = [
	"LC_ALL=C; export LC_ALL; set -eu;",
	`say() { echo "${MARK} $1" >&2; exit "$2"; };`,
	'for c in readlink sha256sum stat date wc; do command -v "$c" >/dev/null || say "needs $c" 69; done;',
	"p=$1; shift;",
	'case $p in "~" | "~/"*) p=$HOME${p#?};; esac;',
	'f=$(readlink -f -- "$p") && [ -e "$f" ] || say missing 66;',
	'[ -f "$f" ] || say special 66;',
	'[ -r "$f" ] || say unreadable 77;',
	'same() { h=$(sha256sum <"$1") && [ "${h%% *}" = "$2" ]; };',
];

/** Words: path, greatest size. Gives the marked hash, and behind that line the file itself. */
export const READ_SCRIPT: readonly string[] = [
	...FIND,
	'[ "$(wc -c <"$f")" -le "$1" ] || say large 65;',
	'h=$(sha256sum <"$f");',
	`printf "%s\\n" "${MARK} file \${h%% *}";`,
	'cat <"$f"',
];

/**
 * Words: path, hash of the old text, hash of the new one, suffix, number of backups to keep, then
 * the times to name the backup by. The new text comes on standard input; only a whole one is used,
 * as a lost connection looks like its end. A hang-up must not leave the drafts behind.
 */
export const REPLACE_SCRIPT: readonly string[] = [
	...FIND,
	"old=$1 new=$2 id=$3 keep=$4; shift 4;",
	"l=$f.ai-server.lock t=$f.ai-server-$id.tmp o=$f.ai-server-$id.old.tmp; made= b= mine=;",
	'tidy() { [ -z "$made" ] || rm -f -- "$t" "$o" || :; [ -z "$b" ] || rm -f -- "$b" || :;',
	'[ -z "$mine" ] || rm -f -- "$l" || :; };',
	'trap "" PIPE HUP; trap "exit 143" TERM INT; trap tidy EXIT;',
	'make() { (umask 077; set -C; printf "%s\\n" "$2" >"$1"); };',

	// A lock that is there for nobody was given back just now: again.
	'tries=0; until e=$(make "$l" "ai-server $id" 2>&1); do',
	'if [ ! -e "$l" ]; then tries=$((tries + 1)); [ "$tries" -lt 10 ] && continue;',
	'printf "%s\\n" "$e" >&2; say folder 73; fi;',
	'now=$(date +%s); m=$(stat -c %Y "$l" 2>/dev/null) || m=$now;',
	`[ "$((now - m))" -ge ${STALE_LOCK_SECONDS} ] || say "locked $((now - m))" 75;`,
	'rm -f -- "$l"; done; mine=1;',

	'same "$f" "$old" || say changed 75;',
	'made=1; make "$t" "" || say folder 73;',
	'w=$(stat -c %u:%g "$f"); v=$(stat -c %u:%g "$t");',
	'[ "$v" = "$w" ] || chown "$w" "$t" 2>/dev/null || say "owner $w $v" 77;',
	'cp -p -- "$f" "$o"; same "$o" "$old" || say changed 75;',
	'cat >"$t"; same "$t" "$new" || say short 76;',
	'chmod "$(stat -c %a "$f")" "$t"; { sync "$t" "$o" || sync; } 2>/dev/null;',

	'for s do n=$f.bak-$s; [ -e "$n" ] || break; done; [ ! -e "$n" ] || say backup 73;',
	'mv -- "$o" "$n"; b=$n;',
	'same "$f" "$old" || say changed 75;',
	'[ "$(cat "$l")" = "ai-server $id" ] || { mine=; say "locked 0" 75; };',
	'mv -f -- "$t" "$f"; b=; set +e;',

	`set -- "$f".bak-${BACKUP_TIME_GLOB};`,
	`while [ "$#" -gt "$keep" ]; do rm -f -- "$1" || echo "${MARK} note $1 could not be removed";`,
	'shift; done; rm -f -- "$f".ai-server-*.tmp;',
	`printf "%s\\n" "${MARK} backup $n" "${MARK} real $f"`,
];

function quoteUnlessPlain(word: string): string {
	return /^[a-z0-9-]+$/.test(word) ? word : shellQuote(word);
}
