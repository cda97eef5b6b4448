# lakehouse-tools: adding a tool is adding a folder under tools/.
VERSION = 0.1.0
PREFIX = /usr/local
B = build
BIN = bin
CFLAGS = -O2 -g
CXXFLAGS = -O2 -g
WARN = -Wall -Wextra -Wshadow -Wpointer-arith -Wundef -Wvla
ALL = -fvisibility=hidden -ffunction-sections -fdata-sections -fPIC -pthread -Ilib -MMD -MP $(SANITIZE)
LDFLAGS = -Wl,--as-needed -Wl,--gc-sections -pthread $(SANITIZE)
LIBS = -larchive -lcurl -lcrypto -lstdc++ -lm

LIB_O = $(patsubst %,$(B)/%.o,$(wildcard lib/*.c lib/*.cc))
TOOLS = $(notdir $(wildcard tools/*))
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))

all: $(TOOLS:%=$(BIN)/%)

$(B)/liblh.a: $(LIB_O)
	@rm -f $@
	$(AR) rcs $@ $^

$(B)/%.c.o: %.c
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE $(WARN) -Wstrict-prototypes -Wmissing-prototypes $(ALL) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<

# hash-v1 promises the same bits everywhere: no fused multiply-add.
$(B)/lib/lh_hashv1.c.o: CFLAGS += -ffp-contract=off

$(B)/%.cc.o: %.cc
	@mkdir -p $(@D)
	$(CXX) -std=c++17 $(WARN) $(ALL) $(CPPFLAGS) $(CXXFLAGS) -c -o $@ $<

.SECONDEXPANSION:
$(TOOLS:%=$(BIN)/%): $(BIN)/%: $$(patsubst %,$(B)/%.o,$$(wildcard tools/$$*/*.c)) $(B)/liblh.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS) $(LIBS)

$(B)/unit/%: $(B)/tests/unit/%.c.o $(B)/liblh.a
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(LDFLAGS) $(LIBS) -ljansson

unit: $(UNIT)
	@for t in $(UNIT); do ./$$t || exit 1; done

clean:
	rm -rf build bin

.PHONY: all unit clean
.SECONDARY:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
