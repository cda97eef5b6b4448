// tests/oracle/transparency.go - notes, trees, proofs and tiles by golang.org/x/mod/sumdb, of
// which only the file system and the text of a proof are ours.
//
//	transparency check                  JSON lines {entry|leaf_hash, proof, vkeys} in, {"verified"} out
//	transparency notes                  JSON lines {note, vkeys} in, {"verified", text, names} out
//	transparency trees                  JSON lines {old, old_root, size, root, hashes} in, {"verified"} out
//	transparency key NAME SEED          a private and a public key, made of 64 digits
//	transparency make DIR ORIGIN KEY N SEED    a log of N random entries: tiles, bundles, checkpoint
//	transparency proofs DIR VKEY N SEED    N proofs of random entries of it, as check reads them
//	transparency folder DIR VKEY        every tile, bundle and the checkpoint of any log; proofs of some entries
//	transparency grow DIR VKEY OLD      the newest checkpoint of DIR extends the note in the file OLD
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8 // of a tile
var b64 = base64.StdEncoding.Strict()

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "transparency.go:", err)
		os.Exit(2)
	}
}

// verdict ends a command: what does not hold is exit 1, in one line.
func verdict(err error) {
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

type record struct {
	Entry   *string  `json:"entry"`
	Leaf    string   `json:"leaf_hash"`
	Proof   string   `json:"proof"`
	Vkeys   []string `json:"vkeys"`
	Note    string   `json:"note"`
	Old     int64    `json:"old"`
	OldRoot string   `json:"old_root"`
	Size    int64    `json:"size"`
	Root    string   `json:"root"`
	Hashes  []string `json:"hashes"`
}

func parseHash(text string) (h tlog.Hash, err error) {
	data, err := b64.DecodeString(text)
	if err == nil && (len(data) != tlog.HashSize || strings.ContainsAny(text, "\r\n")) {
		err = errors.New("no hash")
	}
	copy(h[:], data)
	return h, err
}

func parseHashes(texts []string) (hashes []tlog.Hash, err error) {
	for _, text := range texts {
		h, err := parseHash(text)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, h)
	}
	return hashes, nil
}

// parseNumber reads a number without sign and leading zeros.
func parseNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err == nil && (n < 0 || strconv.FormatInt(n, 10) != text) {
		err = errors.New("no number: " + text)
	}
	return n, err
}

func verifiers(vkeys []string) (note.Verifiers, error) {
	var list []note.Verifier
	for _, vkey := range vkeys {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return note.VerifierList(list...), nil
}

// openCheckpoint verifies a note and reads its tree; its origin is the name of its key.
func openCheckpoint(text []byte, vkeys []string) (tree tlog.Tree, origin string, err error) {
	known, err := verifiers(vkeys)
	if err != nil {
		return tree, "", err
	}
	n, err := note.Open(text, known)
	if err != nil {
		return tree, "", err
	}
	lines := strings.SplitN(n.Text, "\n", 2)
	tree, err = tlog.ParseTree([]byte("go.sum database tree\n" + lines[1]))
	if err == nil && n.Sigs[0].Name != lines[0] {
		err = errors.New("signed by " + n.Sigs[0].Name)
	}
	return tree, lines[0], err
}

func checkProof(r record) error {
	const magic = "c2sp.org/tlog-proof@v1\n"
	if !strings.HasPrefix(r.Proof, magic) {
		return errors.New("no proof")
	}
	head, checkpoint, ok := strings.Cut(r.Proof[len(magic):], "\n\n")
	if !ok {
		return errors.New("no checkpoint")
	}
	lines := strings.Split(head, "\n")
	if extra, is := cutPrefix(lines[0], "extra "); is {
		if _, err := b64.DecodeString(extra); err != nil {
			return err
		}
		lines = lines[1:]
	}
	if len(lines) == 0 {
		return errors.New("no index")
	}
	digits, ok := cutPrefix(lines[0], "index ")
	if !ok {
		return errors.New("no index")
	}
	index, err := parseNumber(digits)
	if err != nil {
		return err
	}
	hashes, err := parseHashes(lines[1:])
	if err != nil {
		return err
	}
	tree, _, err := openCheckpoint([]byte(checkpoint), r.Vkeys)
	if err != nil {
		return err
	}
	var leaf tlog.Hash
	if r.Entry != nil {
		leaf = tlog.RecordHash([]byte(*r.Entry))
	} else if leaf, err = parseHash(r.Leaf); err != nil {
		return err
	}
	return tlog.CheckRecord(hashes, tree.N, tree.Hash, index, leaf)
}

func cutPrefix(s, prefix string) (string, bool) {
	return strings.TrimPrefix(s, prefix), strings.HasPrefix(s, prefix)
}

func checkNote(r record) (map[string]interface{}, error) {
	known, err := verifiers(r.Vkeys)
	if err != nil {
		return nil, err
	}
	n, err := note.Open([]byte(r.Note), known)
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, s := range n.Sigs {
		names = append(names, s.Name)
	}
	return map[string]interface{}{"verified": true, "text": n.Text, "names": names}, nil
}

func checkTree(r record) error {
	hashes, err := parseHashes(r.Hashes)
	if err != nil {
		return err
	}
	oldRoot, err := parseHash(r.OldRoot)
	if err != nil {
		return err
	}
	root, err := parseHash(r.Root)
	if err != nil {
		return err
	}
	return tlog.CheckTree(hashes, r.Size, root, r.Old, oldRoot)
}

// filter answers each line of stdin.
func filter(answer func(record) (map[string]interface{}, error)) {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := in.ReadBytes('\n')
		if len(line) == 0 && err != nil {
			return
		}
		var r record
		must(json.Unmarshal(line, &r))
		found, err := answer(r)
		if err != nil {
			found = map[string]interface{}{"verified": false, "reason": err.Error()}
		} else if found == nil {
			found = map[string]interface{}{"verified": true}
		}
		text, err := json.Marshal(found)
		must(err)
		out.Write(append(text, '\n'))
	}
}

// folder is a log on disk, in the paths of tlog-tiles.
type folder string

func (dir folder) path(kind string, t tlog.Tile) string {
	parts := strings.SplitN(t.Path(), "/", 4) // tile/8/<L>/<N>
	return filepath.Join(string(dir), "tile", kind, parts[3])
}

func (dir folder) Height() int { return height }

func (dir folder) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, t := range tiles {
		d, err := os.ReadFile(dir.path(strconv.Itoa(t.L), t))
		if os.IsNotExist(err) && t.W < 1<<height {
			full := t
			full.W = 1 << height
			d, err = os.ReadFile(dir.path(strconv.Itoa(t.L), full))
			if err == nil {
				d = d[:t.W*tlog.HashSize]
			}
		}
		if err != nil {
			return nil, err
		}
		if len(d) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", t.Path(), len(d))
		}
		data = append(data, d)
	}
	return data, nil
}

func (dir folder) SaveTiles([]tlog.Tile, [][]byte) {}

// entries reads all bundles of a tree; nil where the log keeps none.
func (dir folder) entries(size int64) (entries [][]byte, err error) {
	if _, err := os.Stat(filepath.Join(string(dir), "tile", "entries")); os.IsNotExist(err) {
		return nil, nil
	}
	for _, t := range tilesOf(size) {
		if t.L > 0 {
			break
		}
		data, err := os.ReadFile(dir.path("entries", t))
		if err != nil {
			return nil, err
		}
		for i := 0; i < t.W; i++ {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, errors.New("torn bundle " + t.Path())
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
		if len(data) != 0 {
			return nil, errors.New("long bundle " + t.Path())
		}
	}
	return entries, nil
}

// hashes is a tree in memory, in the order of tlog.StoredHashIndex.
type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) (found []tlog.Hash, err error) {
	for _, i := range indexes {
		if i >= int64(len(h)) {
			return nil, errors.New("no such hash")
		}
		found = append(found, h[i])
	}
	return found, nil
}

func treeOf(leaves []tlog.Hash) (h hashes) {
	for i, leaf := range leaves {
		more, err := tlog.StoredHashesForRecordHash(int64(i), leaf, h)
		must(err)
		h = append(h, more...)
	}
	return h
}

func leavesOf(entries [][]byte) (leaves []tlog.Hash) {
	for _, e := range entries {
		leaves = append(leaves, tlog.RecordHash(e))
	}
	return leaves
}

func sign(origin, skey string, h hashes, size int64) string {
	root, err := tlog.TreeHash(size, h)
	must(err)
	signer, err := note.NewSigner(skey)
	must(err)
	text := strings.Replace(string(tlog.FormatTree(tlog.Tree{N: size, Hash: root})), "go.sum database tree", origin, 1)
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	must(err)
	return string(signed)
}

func write(path string, data []byte) {
	must(os.MkdirAll(filepath.Dir(path), 0755))
	must(os.WriteFile(path, data, 0644))
}

// tilesOf lists the tiles of a tree: each full one, and the last of each level.
func tilesOf(size int64) (tiles []tlog.Tile) {
	for level := 0; size>>(height*level) > 0; level++ {
		nodes := size >> (height * level)
		for n := int64(0); n*256 < nodes; n++ {
			t := tlog.Tile{H: height, L: level, N: n, W: 256}
			if nodes-n*256 < 256 {
				t.W = int(nodes - n*256)
			}
			tiles = append(tiles, t)
		}
	}
	return tiles
}

func makeLog(dir folder, origin, skey string, n int64, seed int64) {
	random := rand.New(rand.NewSource(seed))
	entries := make([][]byte, n)
	for i := range entries {
		entries[i] = []byte(fmt.Sprintf("entry %d %x", i, random.Uint64()))
	}
	h := treeOf(leavesOf(entries))
	for _, t := range tilesOf(n) {
		data, err := tlog.ReadTileData(t, h)
		must(err)
		write(dir.path(strconv.Itoa(t.L), t), data)
		if t.L == 0 {
			var bundle []byte
			for _, e := range entries[t.N*256 : t.N*256+int64(t.W)] {
				bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(e)))
				bundle = append(bundle, e...)
			}
			write(dir.path("entries", t), bundle)
		}
	}
	write(filepath.Join(string(dir), "checkpoint"), []byte(sign(origin, skey, h, n)))
}

// inclusion is the text of a proof.
func inclusion(tree tlog.Tree, index int64, checkpoint []byte, r tlog.HashReader) (string, tlog.RecordProof, error) {
	p, err := tlog.ProveRecord(tree.N, index, r)
	text := fmt.Sprintf("c2sp.org/tlog-proof@v1\nindex %d\n", index)
	for _, hash := range p {
		text += hash.String() + "\n"
	}
	return text + "\n" + string(checkpoint), p, err
}

// readLog opens the checkpoint of a folder, whose key is vkey.
func readLog(dir folder, vkey string) (tlog.Tree, []byte) {
	checkpoint, err := os.ReadFile(filepath.Join(string(dir), "checkpoint"))
	must(err)
	tree, _, err := openCheckpoint(checkpoint, []string{vkey})
	verdict(err)
	return tree, checkpoint
}

func printProofs(dir folder, vkey string, n int, seed int64) {
	tree, checkpoint := readLog(dir, vkey)
	entries, err := dir.entries(tree.N)
	must(err)
	random := rand.New(rand.NewSource(seed))
	out := json.NewEncoder(os.Stdout)
	for i := 0; i < n; i++ {
		index := random.Int63n(tree.N)
		text, _, err := inclusion(tree, index, checkpoint, tlog.TileHashReader(tree, dir))
		must(err)
		must(out.Encode(map[string]interface{}{"entry": string(entries[index]), "proof": text, "vkeys": []string{vkey}}))
	}
}

// checkFolder compares each tile with the tree of all entries, or of all leaves, and has
// the package's reader, which trusts the root alone, prove the first, last and some other.
func checkFolder(dir folder, vkey string) {
	tree, _ := readLog(dir, vkey)
	if tree.N == 0 {
		fmt.Println("0 entries")
		return
	}
	entries, err := dir.entries(tree.N)
	verdict(err)
	leaves := leavesOf(entries)
	tiles := tilesOf(tree.N)
	for _, t := range tiles {
		if entries == nil && t.L == 0 {
			data, err := dir.ReadTiles([]tlog.Tile{t})
			verdict(err)
			for d := data[0]; len(d) > 0; d = d[tlog.HashSize:] {
				var leaf tlog.Hash
				copy(leaf[:], d)
				leaves = append(leaves, leaf)
			}
		}
	}
	h := treeOf(leaves)
	root, err := tlog.TreeHash(tree.N, h)
	must(err)
	if root != tree.Hash {
		verdict(errors.New("another root"))
	}
	for _, t := range tiles {
		want, err := tlog.ReadTileData(t, h)
		must(err)
		data, err := dir.ReadTiles([]tlog.Tile{t})
		verdict(err)
		if !bytes.Equal(data[0], want) {
			verdict(errors.New("another tile " + t.Path()))
		}
	}
	for index := int64(0); index < tree.N; index += 1 + (tree.N-1-index)/16 {
		_, p, err := inclusion(tree, index, nil, tlog.TileHashReader(tree, dir))
		verdict(err)
		verdict(tlog.CheckRecord(p, tree.N, tree.Hash, index, leaves[index]))
	}
	fmt.Println(tree.N, "entries")
}

func checkGrowth(dir folder, vkey, file string) {
	tree, _ := readLog(dir, vkey)
	text, err := os.ReadFile(file)
	must(err)
	old, _, err := openCheckpoint(text, []string{vkey})
	verdict(err)
	if old.N == 0 {
		return
	}
	p, err := tlog.ProveTree(tree.N, old.N, tlog.TileHashReader(tree, dir))
	verdict(err)
	verdict(tlog.CheckTree(p, tree.N, tree.Hash, old.N, old.Hash))
}

// key prints the keys that GenerateKey makes of a given seed.
func key(name, seed string) {
	data, err := hex.DecodeString(seed)
	must(err)
	skey, vkey, err := note.GenerateKey(bytes.NewReader(data), name)
	must(err)
	fmt.Println(skey)
	fmt.Println(vkey)
}

func number(text string) int64 {
	n, err := parseNumber(text)
	must(err)
	return n
}

func simple(check func(record) error) func(record) (map[string]interface{}, error) {
	return func(r record) (map[string]interface{}, error) { return nil, check(r) }
}

func main() {
	a := append(os.Args[1:], "", "", "", "", "", "")
	switch a[0] {
	case "check":
		filter(simple(checkProof))
	case "notes":
		filter(checkNote)
	case "trees":
		filter(simple(checkTree))
	case "key":
		key(a[1], a[2])
	case "make":
		makeLog(folder(a[1]), a[2], a[3], number(a[4]), number(a[5]))
	case "proofs":
		printProofs(folder(a[1]), a[2], int(number(a[3])), number(a[4]))
	case "folder":
		checkFolder(folder(a[1]), a[2])
	case "grow":
		checkGrowth(folder(a[1]), a[2], a[3])
	default:
		must(errors.New("no such command"))
	}
}
