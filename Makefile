# lakehouse-tools: adding a tool is adding a folder under tools/.  What can be made:
#   all         the tools, in bin/ (the default)
#   lib         the library, static and shared, in build/
#   check       every test, plain and under AddressSanitizer; QUICK=1: some, in two minutes
#   soak        every test at full size, for hours
#   parity      the fixtures of tests/parity; PROBE: one of them
#   differ      random inputs; COUNT, SEED, SURFACE
#   fuzz        every fuzz harness, each for FUZZ_SECONDS
#   bench       the measurements
#   demo        the demonstration
#   install     below PREFIX and DESTDIR; uninstall
#   clean       remove what was made
VERSION = $(shell sed -n 's/.*LH_VERSION "\(.*\)"/\1/p' lib/tool/tool.h)
SONAME = liblh.so.0
PREFIX = /usr/local
B = build
BIN = bin
CFLAGS = -O2 -g
WARN = -Wall -Wextra -Wshadow -Wpointer-arith -Wundef -Wvla
ALL = -fvisibility=hidden -ffunction-sections -fdata-sections -fPIC -pthread -Iinclude -Ilib -MMD -MP $(SANITIZE)
LDFLAGS = -Wl,--as-needed -Wl,--gc-sections -pthread $(SANITIZE)
LIBS = -larchive -lz -lcurl -lexpat -lyaml -l:libcrypto.a -lsqlite3 -lxxhash -lm
# of single programs
LIBS_lh-serve = -lmicrohttpd
LIBS_serve_empty = -lmicrohttpd
FUZZ_SECONDS = 10
# make Q= shows the commands
Q = @

LIB_O = $(patsubst %,$(B)/%.o,$(wildcard lib/*/*.c))
TOOLS = $(notdir $(wildcard tools/*))
# tests/unit/aid_* are programs that tests drive; test_* are tests
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c tests/unit/aid_*.c))
BENCH = $(patsubst bench/%,$(B)/bench/%,$(basename $(wildcard bench/*.c bench/*.cc)))
FUZZ = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
HEADERS = $(wildcard include/lh/*.h)
PAGES = $(wildcard man/*.[157])

all: $(TOOLS:%=$(BIN)/%)
lib: $(B)/liblh.a $(B)/$(SONAME)

$(B)/liblh.a: $(LIB_O)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/$(SONAME): $(LIB_O) lib/liblh.map
	@echo '  LINK   $@'
	$(Q)$(CC) -shared -o $@ $(LIB_O) $(LDFLAGS) -Wl,-soname,$(SONAME) -Wl,--version-script=lib/liblh.map -Wl,-z,defs $(LIBS)

# Text that is compiled in: a file below share/ as strings of C.
AS_C = sed 's/[\\"]/\\&/g; s/??/?\\?/g; s/.*/"&\\n"/'
$(B)/share/%.inc: share/%
	@mkdir -p $(@D)
	$(Q)$(AS_C) $< >$@

# The console of lh-serve; the parts of its script are served as one file.
CONSOLE = tools/lh-serve/console
CONSOLE_JS = $(addprefix $(CONSOLE)/,$(addsuffix .js,page requests search record validate sessions audit subject traffic start))
$(B)/$(CONSOLE)/console.js.inc: $(CONSOLE_JS)
	@mkdir -p $(@D)
	$(Q)cat $^ | $(AS_C) >$@
$(B)/$(CONSOLE)/%.inc: $(CONSOLE)/%
	@mkdir -p $(@D)
	$(Q)$(AS_C) $< >$@
$(B)/tools/lh-serve/console.c.o: $(addprefix $(B)/$(CONSOLE)/console,.html.inc .css.inc .js.inc)
$(B)/tools/lh-serve/console.c.o: ALL += -I$(B)

# The samples of the schemas, each with its name and what is expected of it.
SCHEMAS = $(sort $(wildcard share/fixtures/schemas/*/*))
$(B)/share/fixtures/schemas.inc: $(SCHEMAS)
	@mkdir -p $(@D)
	$(Q)for f in $(basename $(filter %.json,$^)); do \
		echo "{ \"$${f#share/fixtures/schemas/}\","; $(AS_C) $$f.json; echo ,; \
		if [ -f $$f.expected ]; then $(AS_C) $$f.expected; else echo NULL; fi; echo '},'; done >$@

ACCEPTANCE = $(wildcard share/fixtures/distillation/acceptance/data/_kb/*.jsonl)
$(B)/tools/lh-distill/acceptance_fixture.c.o: $(ACCEPTANCE:%=$(B)/%.inc)
$(B)/tools/lh-distill/acceptance_fixture.c.o: ALL += -I$(B)
$(B)/tools/lh-audit-full/samples.c.o: $(B)/share/fixtures/schemas.inc
$(B)/tools/lh-audit-full/samples.c.o: ALL += -I$(B)

$(B)/lib/%.o $(B)/tools/%.o: BANNED = -include lib/base/banned.h

$(B)/%.c.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC     $<'
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(BANNED) $(WARN) -Wstrict-prototypes -Wmissing-prototypes $(ALL) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

.SECONDEXPANSION:
$(TOOLS:%=$(BIN)/%): $(BIN)/%: $$(addprefix $(B)/,$$(addsuffix .o,$$(wildcard tools/$$*/*.c))) $(B)/liblh.a
	@mkdir -p $(@D)
	@echo '  LINK   $@'
	$(Q)$(CC) -o $@ $^ $(LDFLAGS) $(LIBS) $(LIBS_$(@F))

$(B)/unit/%: $(B)/tests/unit/%.c.o $(B)/liblh.a
	@mkdir -p $(@D)
	@echo '  LINK   $@'
	$(Q)$(CC) -o $@ $^ $(LDFLAGS) $(LIBS) -ljansson

help:
	@sed -n 's/^#   //p' Makefile

# ---- tests ----
unit: $(UNIT)

# The same tree again under AddressSanitizer and UBSan, with allocation faults.
asan:
	@$(MAKE) --no-print-directory B=build/asan BIN=build/asan/bin SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' \
		CFLAGS='-O1 -g' CPPFLAGS='-DLH_FAULTS' all unit
	@ln -sfn ../../man build/asan/man
	@ln -sfn ../../../tests build/asan/share/lakehouse-tools

# QUICK=1: the plain build, the unit programs and the group "quick" of tests/GROUPS.
check: all unit lib
	+@tests/run $(if $(QUICK),plain unit quick,plain asan)

soak: all unit lib
	+@LH_SCALE=soak LH_TEST_TIMEOUT=86400 tests/run plain

# The fixtures of tests/parity through these tools and through tests/oracle, or
# through what LH_PARITY_RIGHT_<PROBE> names.  PROBE=embed: that one alone.
parity: all
	@mkdir -p $(B)/parity; rm -f $(B)/parity/SUMMARY.md
	@$(BIN)/lh-parity all -q --probes tests/parity --out $(B)/parity $(PROBE:%=--probe %) >$(B)/parity/lines.jsonl; status=$$?; \
	grep -v '"match":true' $(B)/parity/lines.jsonl; tally=$$(sed -n 's/.*Tally:\*\* //p' $(B)/parity/SUMMARY.md); echo "$$tally"; \
	[ "$$status" = 0 ] && [ "$${tally%/*}" = "$${tally#*/}" ]

# The same two sides over random inputs.  COUNT=100000 SEED=7: so many,
# and the same again; SURFACE=embed: that one alone.
differ: all
	@PATH=$(CURDIR)/$(BIN):$$PATH python3 tests/parity/differ $(or $(SURFACE),all) $(COUNT:%=--count %) $(SEED:%=--seed %)

demo: all
	@share/demo/demo

$(B)/fuzz/%: $(B)/tests/fuzz/%.c.o $(B)/liblh.a
	@mkdir -p $(@D)
	@echo '  LINK   $@'
	$(Q)$(CXX) -fsanitize=fuzzer -o $@ $^ $(LDFLAGS) $(LIBS) -ljansson

fuzzers: $(FUZZ)

fuzz:
	@$(MAKE) --no-print-directory B=build/clang CC=clang CXX=clang++ SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' \
		CPPFLAGS='-DLH_FAULTS' fuzzers
	@tests/fuzz/run build/clang/fuzz $(FUZZ_SECONDS)

# ---- measurements: native code, as the peers are built ----
$(B)/bench/%: $(B)/bench/%.c.o $(B)/liblh.a
	@mkdir -p $(@D)
	@echo '  LINK   $@'
	$(Q)$(CC) -o $@ $^ $(LDFLAGS) $(LIBS) -ljansson $(LIBS_$(@F))

$(B)/bench/%: bench/%.cc
	@mkdir -p $(@D)
	@echo '  CXX    $<'
	$(Q)$(CXX) -std=c++17 -O3 -march=native -pthread -fopenmp -o $@ $< $(shell sed -n 's,^// LIBS:,,p' bench/$*.cc)

bench: all $(BENCH)
	@bench/run

# ---- installation ----
D = $(DESTDIR)$(PREFIX)
# what lh-parity compares with, and the tables that a part of it needs
ORACLE = $(addprefix tests/oracle/,audit.py distill.py embed.py extract.py session.py validate.py) $(wildcard lib/embed/hashv*_*.inc) lib/text/fold.inc
install: all lib
	install -d $(D)/bin $(D)/lib/pkgconfig $(D)/include/lh $(D)/share/man/man1 $(D)/share/man/man5 $(D)/share/man/man7 $(D)/share/lakehouse-tools
	install -m 755 $(TOOLS:%=$(BIN)/%) $(D)/bin
	install -m 644 $(B)/liblh.a $(D)/lib
	install -m 755 $(B)/$(SONAME) $(D)/lib
	ln -sf $(SONAME) $(D)/lib/liblh.so
	install -m 644 $(HEADERS) $(D)/include/lh
	sed 's,@PREFIX@,$(PREFIX),; s,@VERSION@,$(VERSION),' lib/liblh.pc.in > $(D)/lib/pkgconfig/liblh.pc
	cp -r share/examples share/load $(D)/share/lakehouse-tools
	install -d $(D)/share/lakehouse-tools/parity $(D)/share/lakehouse-tools/oracle
	install -m 644 tests/parity/*.jsonl tests/parity/*.py $(D)/share/lakehouse-tools/parity
	install -m 644 $(ORACLE) $(D)/share/lakehouse-tools/oracle
	for page in $(PAGES); do install -m 644 $$page $(D)/share/man/man$${page##*.}; done
	@$(LDCONFIG_NOTE)

# The linker's cache has to know of liblh.so.0; below DESTDIR that is for the user who
# puts the tree in its place, and so is a PREFIX that the linker does not look into.
LDCONFIG_NOTE = PATH=$$PATH:/usr/sbin:/sbin; \
	if [ -z "$(DESTDIR)" ] && [ "$$(id -u)" = 0 ]; then echo ldconfig; ldconfig; fi; \
	if [ -n "$(DESTDIR)" ] || ! ldconfig -p | grep -q ' $(PREFIX)/lib/liblh.so.0$$'; then \
	echo "programs that use liblh.so.0: name $(PREFIX)/lib in /etc/ld.so.conf.d and run ldconfig as root, or set LD_LIBRARY_PATH"; fi

uninstall:
	rm -f $(TOOLS:%=$(D)/bin/%) $(D)/lib/liblh.a $(D)/lib/liblh.so $(D)/lib/$(SONAME) $(D)/lib/pkgconfig/liblh.pc
	for page in $(notdir $(PAGES)); do rm -f $(D)/share/man/man$${page##*.}/$$page; done
	rm -rf $(D)/include/lh $(D)/share/lakehouse-tools

clean:
	rm -rf build bin

.PHONY: all lib help unit asan check soak parity differ demo fuzzers fuzz bench install uninstall clean
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
