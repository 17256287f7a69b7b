#!/usr/bin/env bash
# The stand-in for BigQuery that the tests use: local-bigquery, which speaks BigQuery's REST and gRPC and computes with DuckDB.
#
#   emulator.sh install            once a machine, about two minutes; does nothing when it is there. Exits 3 without Python 3.13
#   emulator.sh serve PID FILE     serves on free loopback ports until process PID is gone. FILE appears when a query was
#                                  answered ({"url": …, "grpc": …, "pid": …}), or when it cannot be ({"error": …}); its folder is
#                                  removed at the end
#
# It is kept outside the repository, in ${XDG_CACHE_HOME:-~/.cache}/composable-cdp/bigquery-emulator.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
home=${XDG_CACHE_HOME:-$HOME/.cache}/composable-cdp/bigquery-emulator
constraints=$here/constraints.txt
# From 0.4 on the emulator wants a DuckDB whose extensions are not on PyPI. Extensions and DuckDB must be of one version.
extensions=(icu ducklake spatial)
packages=(local-bigquery duckdb-extensions "${extensions[@]/#/duckdb-extension-}")
installed="$(cksum <"$constraints") ${packages[*]}"

die() {
  echo "$2" >&2
  exit "$1"
}

is_python() { "$1" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null; }

python() {
  local found
  for found in "${BQ_EMULATOR_PYTHON:-}" python3.13 python3 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python; do
    if [ -n "$found" ] && is_python "$found"; then
      echo "$found"
      return
    fi
  done
  die 3 'it needs Python 3.13, which was not found'
}

is_installed() { [ "$(cat "$home/installed" 2>/dev/null)" = "$installed" ]; }

# Several test runs may want it at the same time: the first installs, the others wait.
install() {
  is_installed && return
  local with
  with=$(python)
  mkdir -p "$home"
  until mkdir "$home/lock" 2>/dev/null; do
    kill -0 "$(cat "$home/lock/pid" 2>/dev/null || echo $$)" 2>/dev/null || rm -rf "$home/lock"
    sleep 0.5
    is_installed && return
  done
  echo $$ >"$home/lock/pid"
  trap 'rm -rf "$home/lock"' EXIT
  rm -rf "$home/venv" "$home/installed"
  "$with" -m venv "$home/venv"
  "$home/venv/bin/pip" install --quiet --disable-pip-version-check --constraint "$constraints" "${packages[@]}" >&2
  # DuckDB looks for extensions below $HOME, so the emulator has one of its own. Copied there, the packages are of no use.
  HOME=$home "$home/venv/bin/python" -c \
    'import sys, duckdb_extensions as d; [d.import_extension(name) for name in sys.argv[1:]]' "${extensions[@]}" >&2
  "$home/venv/bin/pip" uninstall --quiet --yes "${extensions[@]/#/duckdb-extension-}" >&2
  echo "$installed" >"$home/installed"
  rm -rf "$home/lock"
  trap - EXIT
}

announce() {
  echo "$2" >"$1.part"
  mv "$1.part" "$1"
}

answers() {
  curl --fail --silent --max-time 20 --header 'content-type: application/json' \
    --data '{"query": "select 1", "useLegacySql": false}' "$1/bigquery/v2/projects/ready/queries" >/dev/null 2>&1
}

serve() {
  local watched=$1 file=$2 data rest grpc emulator
  # Every statement is written down and flushed: in memory, where there is room for it.
  data=$(mktemp -d -p "$(test -w /dev/shm && echo /dev/shm || echo "${TMPDIR:-/tmp}")")
  read -r rest grpc < <("$home/venv/bin/python" -c 'import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(s.getsockname()[1] for s in sockets))')
  HOME=$home "$home/venv/bin/python" "$here/serve.py" serve --host 127.0.0.1 --port "$rest" --grpc-port "$grpc" \
    --data-dir "$data" >"$data.log" 2>&1 </dev/null &
  emulator=$!
  # shellcheck disable=SC2064
  trap "kill -9 $emulator 2>/dev/null; rm -rf '$data' '$data.log' '$(dirname "$file")'" EXIT
  trap 'exit 0' TERM INT HUP
  local tries=0
  until answers "http://127.0.0.1:$rest"; do
    tries=$((tries + 1))
    # A start that failed may leave a process that refuses every query for ever.
    if ! kill -0 "$emulator" 2>/dev/null || [ "$tries" -gt 300 ]; then
      announce "$file" '{"error": "the emulator does not answer a query"}'
      tail -20 "$data.log" >&2
      sleep 5
      exit 1
    fi
    sleep 0.1
  done
  announce "$file" "{\"url\": \"http://127.0.0.1:$rest\", \"grpc\": \"127.0.0.1:$grpc\", \"pid\": $emulator}"
  while kill -0 "$watched" 2>/dev/null && kill -0 "$emulator" 2>/dev/null; do sleep 0.5; done
}

case ${1:-} in
  install) install ;;
  serve) serve "$2" "$3" ;;
  *) die 2 'usage: emulator.sh install | serve PID FILE' ;;
esac
