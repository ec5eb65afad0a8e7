#!/bin/sh
# Serves MLflow's experiments and registry to this machine, from a folder, until it is stopped.
# usage: mlflow.sh VENV FOLDER PORT
set -eu
venv=$1
folder=$2
port=$3
address=http://127.0.0.1:$port

"$venv/bin/python" -c 'import socket, sys; socket.create_server(("127.0.0.1", int(sys.argv[1])))' \
    "$port" 2>/dev/null ||
    { echo "mlflow: port $port is taken or no port; choose another with PORT=5001" >&2; exit 1; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cat <<END
mlflow: $address in about ten seconds, with its data in $folder; Ctrl-C stops it
mlflow: a run into its registry, in another terminal:
  .venv/bin/fashion-mnist run --spec compiled/pipeline-kubeflow.yaml -p tracking_uri=$address
END
# It reports to its makers unless it is asked not to, and runs jobs for features of language models.
export MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
export PYTHONWARNINGS=ignore
exec "$venv/bin/python" -m mlflow server --host 127.0.0.1 --port "$port" --workers 1 \
    --backend-store-uri "sqlite:///$folder/mlflow.db" --artifacts-destination "$folder/artifacts" \
    --uvicorn-opts "--log-level warning"
