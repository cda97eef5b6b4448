# A Slurm of one node, for tests.
#
#     load slurm
#     setup_file() { slurm_start; }
#     setup() { slurm_needed; cd "$BATS_TEST_TMPDIR" || return 1; }
#     teardown() { slurm_clear; }
#     teardown_file() { slurm_stop; }
#
# munged, slurmctld and slurmd are Debian's and run as root, each with state, key, socket
# and ports of its own, so that any number of them run at the same time and none is the
# machine's.  There are no cgroups: proctrack/linuxproc, task/none.

# slurm_missing - say what it lacks here, if anything.
slurm_missing() {
	local command
	[ "$(id -u)" = 0 ] || { echo "Slurm's daemons run as root"; return; }
	grep -qE ' cgroup2? ' /proc/mounts || { echo "no cgroup is mounted, which slurmd needs"; return; }
	for command in munged slurmctld slurmd sbatch scontrol; do
		PATH=$PATH:/usr/sbin command -v "$command" >/dev/null || { echo "there is no $command"; return; }
	done
}

# slurm_needed - skip the test if Slurm was not started: bats fails a file that is skipped
# in setup_file and has a teardown_file.
slurm_needed() {
	[ -z "$SLURM_MISSING" ] || skip "$SLURM_MISSING"
}

slurm_start() {
	local try
	SLURM_MISSING=$(slurm_missing)
	export SLURM_MISSING
	[ -z "$SLURM_MISSING" ] || return 0
	SLURM_DIR=${BATS_FILE_TMPDIR:-$BATS_TEST_TMPDIR}/slurm
	export SLURM_DIR SLURM_CONF=$SLURM_DIR/slurm.conf
	mkdir -p "$SLURM_DIR/state" "$SLURM_DIR/spool"
	head -c 1024 /dev/urandom >"$SLURM_DIR/key"
	chmod 600 "$SLURM_DIR/key"
	: >"$SLURM_DIR/plugstack.conf"
	# a port that was free may be taken a moment later
	for try in 1 2 3 4 5; do
		slurm_daemons
		! slurm_up || return 0
		slurm_stop
	done
	echo "Slurm did not start $try times:"
	tail -n 20 "$SLURM_DIR"/*.out
	return 1
}

slurm_daemons() {
	local ports
	ports=$(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for i in range(2)]
print(*(x.getsockname()[1] for x in s))')
	slurm_conf $ports >"$SLURM_CONF"
	# its socket is in a folder of tests, which munged finds too open or too closed
	slurm_daemon munged --foreground --force --key-file="$SLURM_DIR/key" --socket="$SLURM_DIR/munge.socket" \
		--pid-file="$SLURM_DIR/munged.pid" --log-file="$SLURM_DIR/munged.log" --seed-file="$SLURM_DIR/seed"
	until_so [ -S "$SLURM_DIR/munge.socket" ]
	slurm_daemon slurmctld -D
	slurm_daemon slurmd -D
}

# slurm_daemon COMMAND... - its number is in NAME.daemon.
slurm_daemon() {
	PATH=$PATH:/usr/sbin "$@" >>"$SLURM_DIR/$1.out" 2>&1 3>&- &
	echo $! >"$SLURM_DIR/$1.daemon"
}

# slurm_conf CONTROLLER_PORT NODE_PORT.  The node's name is its own; its host is what this
# machine calls itself, whatever that is, at 127.0.0.1.  A task that is requeued waits for
# cred_expire, 5 at least, and mpi/pmix, which is asked for by default, is not installed.
slurm_conf() {
	local host
	host=$(hostname -s 2>/dev/null || hostname)
	cat <<-END
		ClusterName=test
		SlurmctldHost=$host(127.0.0.1)
		SlurmctldPort=$1
		SlurmdPort=$2
		SlurmUser=root
		SlurmdUser=root
		AuthType=auth/munge
		CredType=cred/munge
		MessageTimeout=60
		AuthInfo=socket=$SLURM_DIR/munge.socket,cred_expire=5
		StateSaveLocation=$SLURM_DIR/state
		SlurmdSpoolDir=$SLURM_DIR/spool
		SlurmctldPidFile=$SLURM_DIR/slurmctld.pid
		SlurmdPidFile=$SLURM_DIR/slurmd.pid
		PlugStackConfig=$SLURM_DIR/plugstack.conf
		ProctrackType=proctrack/linuxproc
		TaskPlugin=task/none
		JobAcctGatherType=jobacct_gather/none
		AccountingStorageType=accounting_storage/none
		JobCompType=jobcomp/none
		SwitchType=switch/none
		MpiDefault=none
		MailProg=/bin/true
		SelectType=select/cons_tres
		SelectTypeParameters=CR_CPU
		SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
		JobRequeue=1
		KillWait=1
		ReturnToService=2
		NodeName=one NodeHostname=$host NodeAddr=127.0.0.1 CPUs=$(nproc)
		PartitionName=all Nodes=one Default=YES State=UP OverSubscribe=FORCE:4
	END
}

# slurm_up - wait until the node takes jobs; fail if a daemon has ended.
slurm_up() {
	local name
	until sinfo --noheader --format=%T 2>/dev/null | has -x idle; do
		for name in munged slurmctld slurmd; do
			kill -0 "$(cat "$SLURM_DIR/$name.daemon")" 2>/dev/null || return 1
		done
		sleep 0.02
	done
}

# slurm_clear - end all jobs.
slurm_clear() {
	[ -z "$SLURM_MISSING" ] || return 0
	scancel --quiet --user=root
	until_so slurm_idle
}

slurm_idle() {
	[ -z "$(squeue --noheader 2>&1)" ]
}

slurm_stop() {
	local name
	[ -e "${SLURM_DIR:-}/slurmctld.daemon" ] || return 0
	kill -0 "$(cat "$SLURM_DIR/slurmctld.daemon")" 2>/dev/null && LH_PATIENCE=30 slurm_clear
	for name in slurmd slurmctld munged; do
		kill "$(cat "$SLURM_DIR/$name.daemon")" 2>/dev/null || continue
		until_so not kill -0 "$(cat "$SLURM_DIR/$name.daemon")" 2>/dev/null
	done
	rm -f "$SLURM_DIR"/*.daemon
}

# slurm_states JOB - the states of its tasks, each once.
slurm_states() {
	scontrol --oneliner show job "$1" | grep -o 'JobState=[A-Z_]*' | sed 's/.*=//' | sort -u
}

# slurm_wait JOB - wait until it has ended; whether all its tasks have succeeded.
slurm_wait() {
	until_so slurm_ended "$1"
	[ "$(slurm_states "$1")" = COMPLETED ] || {
		scontrol --oneliner show job "$1" | grep -oE '(Job|Array|ExitCode|Command|StdOut)[A-Za-z]*=[^ ]*' | paste -sd ' '
		return 1
	}
}

# No states at all: the controller did not answer in time.
slurm_ended() {
	local states
	states=$(slurm_states "$1")
	[ -n "$states" ] && not has -E 'PENDING|RUNNING|COMPLETING|REQUEUE|CONFIGURING|SUSPENDED' <<<"$states"
}
