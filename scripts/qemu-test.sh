#!/usr/bin/env bash
# RFC-0022's proof on QEMU, by its own variables. The same as `hartbeat prove --machine virt`.
#
#   SMP=2 REQUIRE_SMP=1 RUN_UNTIL_MARKER=1 RUN_TIMEOUT=90s ./scripts/qemu-test.sh
#
# SMP               number of harts (1)
# REQUIRE_SMP       1: one hart is a usage error (0)
# RUN_UNTIL_MARKER  1: the run ends at the last marker, 0: at power-off (0)
# RUN_TIMEOUT       how long a run may take (90s)
set -euo pipefail

usage_error() {
  echo "error: $1" >&2
  exit 2
}

arguments=(prove --machine virt --smp "${SMP:-1}" --timeout "${RUN_TIMEOUT:-90s}")

case "${REQUIRE_SMP:-0}" in
  1) arguments+=(--require-smp) ;;
  0) ;;
  *) usage_error "REQUIRE_SMP=$REQUIRE_SMP is neither 0 nor 1" ;;
esac
case "${RUN_UNTIL_MARKER:-0}" in
  1) arguments+=(--until-marker) ;;
  0) ;;
  *) usage_error "RUN_UNTIL_MARKER=$RUN_UNTIL_MARKER is neither 0 nor 1" ;;
esac

exec node "$(dirname "${BASH_SOURCE[0]}")/../bin/hartbeat.js" "${arguments[@]}" "$@"
