#!/usr/bin/env bash
#SBATCH --job-name=nmr-fuzz
#SBATCH --array=1-8
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --time=08:30:00
#SBATCH --output=nmr-fuzz-%A-%a.log
#
# A night's fuzzing as an array job: the index of a task is its shard.
#
#   SEED=20260101 sbatch ci/farm/slurm.sh          from the top of the repository
#   cargo nmr merge findings/20260101/* --out findings/20260101/all
set -euo pipefail

: "${SLURM_ARRAY_TASK_ID:?run it with sbatch, as an array job}"
seed="${SEED:-${SLURM_ARRAY_JOB_ID}}"
shards="${SLURM_ARRAY_TASK_COUNT:-8}"
out="${OUT:-findings}/$seed/$SLURM_ARRAY_TASK_ID"

# One build for all tasks would be one lock for all: each has its own target folder on its node.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${TMPDIR:-/tmp}/nmr-target-$SLURM_ARRAY_TASK_ID}"

exec cargo nmr fuzz --time "${TIME:-8h}" --seed "$seed" \
    --shard "$SLURM_ARRAY_TASK_ID/$shards" --out "$out"
