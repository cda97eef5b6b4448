# lakehouse-tools: adding a tool is adding a folder under tools/.  What can be made:
#   all         the tools, in bin/ (the default)
#   lib         the library of the tools, in build/
#   check       the tests, in ten minutes; QUICK=1: some, in two
#   check-full  every test, plain and under AddressSanitizer, in an hour
#   check-stress  check again and again beside four busy processes; RUNS: 20
#   soak        every test at full size, for hours
#   coverage    the lines that check runs; FULL=1: that check-full runs
#   parity      the fixtures of tests/parity; PROBE: one of them
#   differ      random inputs; COUNT, SEED, SURFACE
#   fuzz        every fuzz harness, each for FUZZ_SECONDS
#   bench       the measurements
#   demo        the demonstration
#   doc         share/doc, from the manual
#   meaning     the table of meaning anew, in build/meaning/; SENTENCES: from only that many
#   install     stripped, below PREFIX and DESTDIR; uninstall
#   dist        the sources as one file, build/lakehouse-tools-VERSION.tar.gz
#   sbom        what the programs link, as SPDX, build/lakehouse-tools-VERSION.spdx.json
#   deb         Debian packages, in build/deb/
#   clean       remove what was made
VERSION = $(shell sed -n 's/.*LH_VERSION "\(.*\)"/\1/p' lib/tool/tool.h)
PREFIX = /usr/local
B = build
BIN = bin
# DEBUG=1: all that a debugger can show, in place of lines and names of functions
DEBUG =
# as dpkg-buildflags has them with hardening=+all; programs are linked with -pie
CFLAGS = -O2 $(if $(DEBUG),-g3,-g1) -fstack-protector-strong -Wformat -Werror=format-security
CXXFLAGS = -O3 -DNDEBUG
CPPFLAGS = -D_FORTIFY_SOURCE=2
LDFLAGS = -Wl,-z,relro -Wl,-z,now
WARN = -Wall -Wextra -Wshadow -Wpointer-arith -Wundef -Wvla
ALL = -fvisibility=hidden -ffunction-sections -fdata-sections -fPIC -pthread -Ilib -MMD -MP $(SANITIZE)
LINK = -Wl,--as-needed -Wl,--gc-sections -pthread $(SANITIZE) $(LDFLAGS)
LIBS = -larchive -lz -lcurl -lexpat -l:libcrypto.a -l:libpcre2-8.a -lsqlite3 -l:libutf8proc.a -lxxhash -ljansson -lm
# of single programs
LIBS_lh-index = -lstdc++
FUZZ_SECONDS = 10
# dpkg-buildpackage has it strip nothing, and strips itself
INSTALL = install
# make V=1 shows the commands
Q = $(if $(filter 1,$(V)),,@)

LIB_O = $(patsubst %,$(B)/%.o,$(wildcard lib/*/*.c lib/*/*.cc))
TOOLS = $(notdir $(wildcard tools/*))
# tests/unit/aid_* are programs that tests drive; test_* are tests
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c tests/unit/aid_*.c))
# Programs whose kernels for AVX-512, VNNI and AMX are emulated, for a CPU that lacks those.
EMULATED_UNIT = $(addprefix $(B)/unit/emulated_,test_distance test_quantize test_qg_code test_kernels aid_encoder)
BENCH = $(patsubst bench/%,$(B)/bench/%,$(basename $(wildcard bench/*.c bench/*.cc)))
FUZZ = $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/*.c))
PAGES = $(wildcard man/*.[157])

all: $(TOOLS:%=$(BIN)/%) pages
lib: $(B)/liblh.a

LIB = $(B)/liblh.a
$(LIB): $(LIB_O)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# Vectors are taken and returned by inline functions only.
$(B)/lib/vector/vector_portable.c.o: ALL += -Wno-psabi

# Text that is compiled in: a file below share/ as strings of C.
AS_C = sed 's/[\\"]/\\&/g; s/??/?\\?/g; s/.*/"&\\n"/'
$(B)/share/%.inc: share/%
	@mkdir -p $(@D)
	$(Q)$(AS_C) $< >$@

# The powers of ten by which numbers are read and printed.
$(B)/share/pow10.inc: lib/base/pow10.awk
	@mkdir -p $(@D)
	$(Q)awk -f $< >$@
$(B)/lib/base/num.c.o: $(B)/share/pow10.inc
$(B)/lib/base/num.c.o: ALL += -I$(B)

# The console of lh-serve; the parts of its script are served as one file.
CONSOLE = tools/lh-serve/console
CONSOLE_JS = $(addprefix $(CONSOLE)/,$(addsuffix .js,page requests search record validate data routes sessions audit subject traffic start))
$(B)/$(CONSOLE)/console.js.inc: $(CONSOLE_JS)
	@mkdir -p $(@D)
	$(Q)cat $^ | $(AS_C) >$@
$(B)/$(CONSOLE)/%.inc: $(CONSOLE)/%
	@mkdir -p $(@D)
	$(Q)$(AS_C) $< >$@
$(B)/tools/lh-serve/inside.c.o: $(addprefix $(B)/$(CONSOLE)/console,.html.inc .css.inc .js.inc)
$(B)/tools/lh-serve/inside.c.o: ALL += -I$(B)

# The routes that lh-serve and lh-mcp have without a configuration.
$(B)/lib/serve/built_in.c.o: $(B)/share/serve/routes.json.inc
$(B)/lib/serve/built_in.c.o: ALL += -I$(B)

# What the filters of these routes say of their operations, each under its command.
FILTERS := $(sort $(shell sed -n 's/.*"run": \["\([^"]*\)".*/\1/p' share/serve/routes.json))
$(B)/share/serve/described.inc: share/serve/routes.json $(FILTERS:%=$(BIN)/%)
	@mkdir -p $(@D)
	$(Q)tr -d '\n\t' <$< | grep -o '"run": \[[^]]*' | sed 's/.*\[//' | while read -r run; do \
		set -- $$(echo "$$run" | sed 's/[",]/ /g; s/{quiet}\|{roster}\|{audit}//g'); \
		text=$$("$(BIN)/$$@" --describe) || exit; \
		echo "{ (const char *const[]){ $$run, NULL },"; printf '%s\n' "$$text" | $(AS_C); echo '},'; done >$@
$(B)/tools/lh-serve/openapi.c.o: $(B)/share/serve/described.inc
$(B)/tools/lh-serve/openapi.c.o: ALL += -I$(B)

# The tools for models.
$(B)/lib/mcp/mcp_tools.c.o: $(B)/share/mcp/tools.json.inc
$(B)/lib/mcp/mcp_tools.c.o: ALL += -I$(B)

# The samples of the schemas, each with its name and what is expected of it.
SCHEMAS = $(sort $(wildcard share/fixtures/schemas/*/*))
$(B)/share/fixtures/schemas.inc: $(SCHEMAS)
	@mkdir -p $(@D)
	$(Q)for f in $(basename $(filter %.json,$^)); do \
		echo "{ \"$${f#share/fixtures/schemas/}\","; $(AS_C) $$f.json; echo ,; \
		if [ -f $$f.expected ]; then $(AS_C) $$f.expected; else echo NULL; fi; echo '},'; done >$@

# What lh version --json says; no path, so that builds are the same in any folder.
$(B)/tools/lh/doctor.c.o: ALL += -DLH_FLAGS='"$(strip $(foreach flag,$(CFLAGS) $(CPPFLAGS) $(SANITIZE),$(if $(findstring /,$(flag)),,$(flag))))"'

# The pages of the manual, each with what it is about.
$(B)/share/pages.inc: $(PAGES)
	@mkdir -p $(@D)
	$(Q)for page in $^; do name=$${page##*/}; \
		sed -n "s/ (lakehouse-tools)$$//; s/^\.Nd \(.*\)/{ \"$${name%.*}\", \"\1\" },/p" $$page; done >$@
$(B)/tools/lh/list.c.o: $(B)/share/pages.inc
$(B)/tools/lh/list.c.o: ALL += -I$(B)

# The completions of shells, with the names of the tools: made again when a folder is added to tools.
$(B)/share/completion/%.inc: share/completion/%
	@mkdir -p $(@D)
	$(Q)sed 's/@NAMES@/$(TOOLS)/' $< | $(AS_C) >$@
$(B)/tools/lh/complete.c.o: $(addprefix $(B)/share/completion/lh.,bash.inc zsh.inc fish.inc) tools
$(B)/tools/lh/complete.c.o: ALL += -I$(B)

ACCEPTANCE = $(wildcard share/fixtures/distillation/acceptance/data/_kb/*.jsonl)
$(B)/tools/lh-distill/acceptance.c.o: $(ACCEPTANCE:%=$(B)/%.inc)
$(B)/tools/lh-distill/acceptance.c.o: ALL += -I$(B)
$(B)/tools/lh-audit-full/samples.c.o: $(B)/share/fixtures/schemas.inc
$(B)/tools/lh-audit-full/samples.c.o: ALL += -I$(B)

$(B)/lib/%.o $(B)/tools/%.o: BANNED = -include lib/base/banned.h
# a parameter in a header of OpenSSL has a banned name
$(B)/lib/crypto/ed25519.c.o: BANNED =

$(B)/%.c.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC     $<'
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(BANNED) $(WARN) -Wstrict-prototypes -Wmissing-prototypes $(ALL) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# What stands in for a library of C++ that is given as headers, whose assertions would abort.
$(B)/%.cc.o: %.cc Makefile
	@mkdir -p $(@D)
	@echo '  CC     $<'
	$(Q)$(CXX) -std=c++17 $(ALL) $(CPPFLAGS) $(CFLAGS) $(CXXFLAGS) -c -o $@ $<

.SECONDEXPANSION:
$(TOOLS:%=$(BIN)/%): $(BIN)/%: $$(addprefix $(B)/,$$(addsuffix .o,$$(wildcard tools/$$*/*.c))) $(LIB)
	@mkdir -p $(@D)
	@echo '  LINK   $@'
	$(Q)$(CC) -pie -o $@ $^ $(LINK) $(LIBS) $(LIBS_$(@F))

$(B)/unit/%: $(B)/tests/unit/%.c.o $(B)/liblh.a
	@mkdir -p $(@D)
	@echo '  LINK   $@'
	$(Q)$(CC) -o $@ $^ $(LINK) $(LIBS)

# The kernels of AVX-512, VNNI and AMX, compiled for AVX2 with tests/emulated/immintrin.h.
EMULATED = $(addprefix lib/transformer/kernels,.c _avx512.c _vnni.c _amx.c) $(addprefix lib/vector/vector_,kernels.c avx512.c)
$(B)/emulated/%.c: lib/%.c Makefile
	@mkdir -p $(@D)
	$(Q)(echo '#line 1 "$<"'; sed 's/"avx512f[^"]*"/"avx2,fma,f16c"/; s/"amx-tile[^"]*"/"avx2"/; s/has_amx() &&/true || &/; s/\b_\(mm512_\|tile_\|mm256_maskz_\)/lh&/g' $<) >$@
$(B)/emulated/%.c.o: $(B)/emulated/%.c Makefile
	@echo '  CC     $@'
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -Wno-psabi -Wno-parentheses $(ALL) -Itests/emulated -iquotelib/transformer -iquotelib/vector \
		'-D__builtin_cpu_supports(name)=1' $(CPPFLAGS) $(CFLAGS) -O0 -U_FORTIFY_SOURCE -c -o $@ $<
$(B)/unit/emulated_%: $(B)/tests/unit/%.c.o $(EMULATED:lib/%=$(B)/emulated/%.o) $(B)/liblh.a
	@mkdir -p $(@D)
	@echo '  LINK   $@'
	$(Q)$(CC) -o $@ $^ $(LINK) $(LIBS)

# The pages as text, which lh help prints where there is no man.  Their first and last lines,
# which differ by system, are left out.
pages: $(if $(shell command -v mandoc),$(patsubst man/%,$(B)/pages/%.txt,$(basename $(PAGES))))
	@[ -n "$^" ] || echo 'mandoc is not installed: lh help will show pages only where man is' >&2
$(B)/pages/%.txt: $$(wildcard man/$$*.[157])
	@mkdir -p $(@D)
	$(Q)mandoc -Tutf8 -Owidth=78 $< | LC_ALL=C.UTF-8 sed '1,2d; s/.\x08//g' | head -n -2 >$@; [ -s $@ ]

# Pages of the manual that are also kept as Markdown.
DOC = share/doc/tutorial.md share/doc/recipes.md
doc: $(DOC)
share/doc/%.md: man/lakehouse-%.7 share/doc/markdown
	$(Q)share/doc/markdown $< >$@

help:
	@sed -n 's/^#   //p' Makefile

# ---- tests ----
unit: $(UNIT) $(EMULATED_UNIT) build/jq/jq build/jq/jq.so
build/jq/jq build/jq/jq.so: tests/jq/jq.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -O2 $(if $(filter %.so,$@),-DLIBRARY -shared -fPIC) -o $@ $<

# The same tree again under AddressSanitizer and UBSan, with allocation faults.  Their runtime is
# linked in, and nothing has to be relocated: a tool starts in half the time, and the tests start
# tens of thousands.  The compiler optimizes what loops most; of the rest that would take longer
# than the tests do.
$(foreach room,embed index json text vector,$(B)/lib/$(room)/%.o): override CFLAGS += $(WARM)
asan:
	@$(MAKE) --no-print-directory B=build/asan BIN=build/asan/bin SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all' \
		CFLAGS='-O0 -g1' WARM=-O1 CXXFLAGS=-DNDEBUG CPPFLAGS='-DLH_FAULTS' LDFLAGS='-no-pie -static-libasan -static-libubsan' all unit
	@ln -sfn ../../man build/asan/man
	@ln -sfn ../../../tests build/asan/share/lakehouse-tools

# QUICK=1: the plain build, the unit programs and the files with the tag "quick".
check: all unit lib
	+@tests/run $(if $(QUICK),plain unit quick)

check-full: all unit lib
	+@tests/run full

check-stress:
	+@tests/stress $(or $(RUNS),20)

# The same tree with counters of lines.
gcov:
	@$(MAKE) --no-print-directory B=build/gcov BIN=build/gcov/bin SANITIZE='--coverage -fprofile-update=prefer-atomic' CFLAGS='-O1 -g1' CPPFLAGS= all unit
	@ln -sfn ../../man build/gcov/man
	@ln -sfn ../../../tests build/gcov/share/lakehouse-tools

coverage:
	+@tests/run $(if $(FULL),full) gcov; tests/coverage

soak: all unit lib
	+@LH_SCALE=soak LH_TEST_TIMEOUT=86400 tests/run plain

# The fixtures of tests/parity through these tools and through tests/oracle, or
# through what LH_PARITY_RIGHT_<PROBE> names.  PROBE=embed: that one alone.
parity: all
	@mkdir -p $(B)/parity
	@$(BIN)/lh-parity all -q --probes tests/parity --out $(B)/parity $(PROBE:%=--probe %) >$(B)/parity/lines.jsonl; status=$$?; \
	grep -v '"match":true' $(B)/parity/lines.jsonl; tally=$$(sed -n 's/.*Tally:\*\* //p' $(B)/parity/SUMMARY.md | tail -n 1); echo "$$tally"; \
	[ "$$status" = 0 ] && [ "$${tally%/*}" = "$${tally#*/}" ]

# The same two sides over random inputs.  COUNT=100000 SEED=7: so many,
# and the same again; SURFACE=embed: that one alone.
differ: all
	@PATH=$(CURDIR)/$(BIN):$$PATH python3 tests/parity/differ $(or $(SURFACE),all) $(COUNT:%=--count %) $(SEED:%=--seed %)

# The demonstration builds the programs that it runs.  What its first answer needs is built first:
# these programs link nothing of some rooms of the library, so their objects wait.  The library of
# the others is another file: it would not be made again for the sake of objects that it lacks.
DEMO_FIRST = lh lh-index lh-ingest lh-search
DEMO = $(DEMO_FIRST) lh-cat lh-embed lh-extract-json lh-gen lh-serve lh-show lh-subject lh-subject-audit lh-validate
DEMO_LATER = $(wildcard $(patsubst %,lib/%/*.c,distill jsonschema mcp serve tlog validate) \
	$(addprefix lib/,json/document.c lineage/lineage*.c memory/session*.c memory/pathway*.c model/chat.c model/extract.c persons/[afs]*.c text/[ahs]*.c))
demo:
	@for goal in demo-first demo-answer demo-rest; do $(MAKE) --no-print-directory $$goal || exit; done
demo-first:
	@$(MAKE) --no-print-directory LIB='$(B)/first.a' LIB_O='$(filter-out $(DEMO_LATER:%=$(B)/%.o),$(LIB_O))' $(DEMO_FIRST:%=$(BIN)/%)
demo-answer:
	@share/demo/demo first
demo-programs: $(DEMO:%=$(BIN)/%) pages
demo-rest: demo-programs
	@share/demo/demo rest

$(B)/fuzz/%: $(B)/tests/fuzz/%.c.o $(B)/liblh.a
	@mkdir -p $(@D)
	@echo '  LINK   $@'
	$(Q)$(CXX) -fsanitize=fuzzer -o $@ $^ $(LINK) $(LIBS)

fuzzers: $(FUZZ)

fuzz:
	@$(MAKE) --no-print-directory B=build/clang CC=clang CXX=clang++ SANITIZE='-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' \
		CPPFLAGS='-DLH_FAULTS' fuzzers
	@tests/fuzz/run build/clang/fuzz $(FUZZ_SECONDS)

# ---- measurements: native code, as the peers are built ----
$(B)/bench/%: $(B)/bench/%.c.o $(B)/liblh.a
	@mkdir -p $(@D)
	@echo '  LINK   $@'
	$(Q)$(CC) -o $@ $^ $(LINK) $(LIBS) $(LIBS_$(@F))

$(B)/bench/%: bench/%.cc
	@mkdir -p $(@D)
	@echo '  CXX    $<'
	$(Q)$(CXX) -std=c++17 -O3 -march=native -pthread -fopenmp -o $@ $< $(shell sed -n 's,^// LIBS:,,p' bench/$*.cc)

bench: all $(BENCH)
	@bench/run

# By hand only: the tools accept the table that is in the tree.
meaning: $(BIN)/lh-embed
	@share/meaning/make $(SENTENCES:%=--sentences %)

# ---- installation: the folders have GNU's names ----
prefix = $(PREFIX)
bindir = $(prefix)/bin
datadir = $(prefix)/share
mandir = $(datadir)/man
docdir = $(datadir)/doc/lakehouse-tools
sysconfdir = $(patsubst /usr/etc,/etc,$(prefix)/etc)
unitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
bashdir = $(datadir)/bash-completion/completions
zshdir = $(datadir)/zsh/site-functions
fishdir = $(datadir)/fish/vendor_completions.d
D = $(DESTDIR)
OUR_DATA = $(D)$(datadir)/lakehouse-tools
OUR_ETC = $(D)$(sysconfdir)/lakehouse-tools

UNITS = $(wildcard share/systemd/*.service share/systemd/*.socket share/systemd/*.timer)
CONFIGURATION = $(wildcard share/etc/*)
DOCUMENTS = README.md KNOWN_RISKS.md SECURITY.md $(wildcard share/doc/*.md doc/*.md)
SECTIONS = $(sort $(subst .,,$(suffix $(PAGES))))
# what lh-parity compares with, and the tables that a part of it needs
ORACLE = $(addprefix tests/oracle/,audit.py distill.py embed.py extract.py session.py surfaces.py validate.py) $(wildcard lib/embed/hashv*_*.inc) lib/text/fold.inc
# units and crontab name the folders of an installation without options
REPLACE = sed 's,/etc/lakehouse-tools,$(sysconfdir)/lakehouse-tools,g; s,/usr/local/bin,$(bindir),g; s,/usr/bin:/usr/bin,/usr/bin,g; s,/usr/local/share,$(datadir),g'

install: all
	install -d $(D)$(bindir) $(D)$(docdir) $(SECTIONS:%=$(D)$(mandir)/man%) $(addprefix $(OUR_DATA)/,pages examples/parallel examples/recipes examples/slurm load parity oracle) $(OUR_ETC) $(D)$(unitdir) $(D)$(sysusersdir) $(D)$(tmpfilesdir)
	$(INSTALL) -m 755 $(if $(DEBUG),,-s) $(TOOLS:%=$(BIN)/%) $(D)$(bindir)
	for page in $(PAGES); do install -m 644 $$page $(D)$(mandir)/man$${page##*.}; done
	for page in $(B)/pages/*.txt; do [ ! -e $$page ] || install -m 644 $$page $(OUR_DATA)/pages; done
	install -m 644 $(DOCUMENTS) $(D)$(docdir)
	for file in share/examples/* share/examples/*/* share/load/*; do [ -f $$file ] || continue; to=$(OUR_DATA)/$${file#share/}; \
		$(REPLACE) $$file >$$to && chmod $$(if [ -x $$file ]; then echo 755; else echo 644; fi) $$to || exit; done
	install -m 644 tests/parity/*.jsonl tests/parity/*.py $(OUR_DATA)/parity
	install -m 755 tests/parity/http $(OUR_DATA)/parity
	install -m 644 $(ORACLE) $(OUR_DATA)/oracle
	install -m 644 share/hash-v4.table $(OUR_DATA)
	for unit in $(UNITS); do $(REPLACE) $$unit >$(D)$(unitdir)/$${unit##*/} && chmod 644 $(D)$(unitdir)/$${unit##*/} || exit; done
	install -m 644 share/systemd/lakehouse-tools.sysusers $(D)$(sysusersdir)/lakehouse-tools.conf
	install -m 644 share/systemd/lakehouse-tools.tmpfiles $(D)$(tmpfilesdir)/lakehouse-tools.conf
	for file in $(CONFIGURATION); do to=$(OUR_ETC)/$${file##*/}; \
		[ -e $$to ] || { $(REPLACE) $$file >$$to && chmod 644 $$to; } || exit; done
	@$(COMPLETIONS)

# Completions of shells.  bash and fish look for a file with the name of the command.
COMPLETIONS = set -e; install -d $(D)$(bashdir) $(D)$(zshdir) $(D)$(fishdir); \
	$(BIN)/lh completion bash >$(D)$(bashdir)/lh; \
	$(BIN)/lh completion zsh >$(D)$(zshdir)/_lh; \
	$(BIN)/lh completion fish >$(D)$(fishdir)/lh.fish; \
	chmod 644 $(D)$(bashdir)/lh $(D)$(zshdir)/_lh $(D)$(fishdir)/lh.fish; \
	for tool in $(filter-out lh,$(TOOLS)); do \
		ln -sf lh $(D)$(bashdir)/$$tool; ln -sf lh.fish $(D)$(fishdir)/$$tool.fish; done

# A file of the configuration that was edited is kept.
uninstall:
	rm -f $(TOOLS:%=$(D)$(bindir)/%)
	for page in $(notdir $(PAGES)); do rm -f $(D)$(mandir)/man$${page##*.}/$$page; done
	rm -f $(addprefix $(D)$(unitdir)/,$(notdir $(UNITS))) $(D)$(sysusersdir)/lakehouse-tools.conf $(D)$(tmpfilesdir)/lakehouse-tools.conf
	for file in $(CONFIGURATION); do to=$(OUR_ETC)/$${file##*/}; ! $(REPLACE) $$file | cmp -s - $$to || rm -f $$to; done
	rm -f $(TOOLS:%=$(D)$(bashdir)/%) $(D)$(zshdir)/_lh $(TOOLS:%=$(D)$(fishdir)/%.fish)
	rm -rf $(D)$(docdir) $(OUR_DATA)

# ---- what is given away ----
# The files of the last commit, or without git those of this folder; each has the time of
# the newest, or SOURCE_DATE_EPOCH, so that the same files are the same bytes.
NAME = lakehouse-tools-$(VERSION)
STAGE = $(B)/dist/$(NAME)
dist:
	@rm -rf $(B)/dist; mkdir -p $(STAGE)
	$(Q)if [ -e .git ] && git rev-parse -q --verify HEAD >/dev/null 2>&1; then git archive HEAD; \
		else tar -c --exclude=./.git --exclude=./build --exclude=./bin --exclude=./demo .; fi | tar -x -C $(STAGE)
	$(Q)tar -c --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mode=u+rw,go=rX,a-s \
		--mtime=@$${SOURCE_DATE_EPOCH:-$$(find $(STAGE) -type f -printf '%Ts\n' | sort -n | tail -n 1)} \
		-C $(B)/dist $(NAME) | gzip -9n >$(B)/$(NAME).tar.gz
	$(Q)cd $(B) && sha256sum $(NAME).tar.gz >SHA256SUMS && cat SHA256SUMS

# What the programs link, by package: build/NAME-VERSION.spdx.json.
sbom: all
	$(Q)debian/sbom lakehouse-tools $(VERSION) $(BIN) >$(B)/$(NAME).spdx.json.new && mv $(B)/$(NAME).spdx.json.new $(B)/$(NAME).spdx.json
	@echo $(B)/$(NAME).spdx.json

# Debian packages, in build/deb/.  DEB_FLAGS=-F: the source package, too.
DEB_FLAGS = -b
deb: dist
	@rm -rf $(B)/deb; mkdir -p $(B)/deb
	@tar -xf $(B)/$(NAME).tar.gz -C $(B)/deb
	$(Q)cd $(B)/deb/$(NAME) && env -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
		debian/progress ../log dpkg-buildpackage -us -uc $(DEB_FLAGS) || { tail -n 40 ../log; exit 1; }
	@ls $(B)/deb/*.deb

clean:
	rm -rf build bin

.PHONY: all lib pages doc help unit asan check check-full check-stress gcov coverage soak parity differ demo demo-first demo-answer demo-programs demo-rest fuzzers fuzz bench meaning install uninstall dist sbom deb clean
.SECONDARY:
.DELETE_ON_ERROR:
-include $(shell find $(B) -path $(B)/deb -prune -o -path $(B)/meaning -prune -o -name '*.d' -print 2>/dev/null)
