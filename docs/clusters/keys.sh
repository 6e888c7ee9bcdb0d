# Lets Dask's scheduler, workers and clients started from this shell speak only to those that hold the same key.
# The folder is COURSE_KEYS, or ~/course-keys; see docs/clusters.md for how to make it.
keys="${COURSE_KEYS:-$HOME/course-keys}"
export DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION=True
export DASK_DISTRIBUTED__COMM__TLS__CA_FILE="$keys/cert.pem"
for role in SCHEDULER WORKER CLIENT; do
    export "DASK_DISTRIBUTED__COMM__TLS__${role}__CERT=$keys/cert.pem"
    export "DASK_DISTRIBUTED__COMM__TLS__${role}__KEY=$keys/key.pem"
done
