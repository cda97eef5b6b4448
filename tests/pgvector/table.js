// table.js SETTINGS - PostgreSQL with pgvector in this process (PGlite): load a file of COPY
// in binary format, answer queries by pgvector's own distances, and copy the table out again.
//
// SETTINGS is {"in","out","id","vector","queries":[{"vector":[...]}]}: files, the types of the
// columns, and queries.  One line for each query, operator and answer: the number of the query,
// the operator, the id and the distance.
import { readFileSync, writeFileSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import { vector } from '@electric-sql/pglite-pgvector'

const settings = JSON.parse(process.argv[2])
const db = await PGlite.create({ extensions: { vector } })

await db.exec(`create extension vector;
	create table items (id ${settings.id}, embedding ${settings.vector}, metadata jsonb)`)
await db.query("copy items from '/dev/blob' with (format binary)", [],
	{ blob: new Blob([readFileSync(settings.in)]) })
for (const [i, query] of settings.queries.entries())
	for (const operator of ['<->', '<=>', '<#>']) {
		const { rows } = await db.query(
			`select id::text as id, embedding ${operator} $1 as distance from items
			order by distance, id::text collate "C" limit 10`, [JSON.stringify(query.vector)])
		for (const row of rows)
			console.log(`${i} ${operator} ${row.id} ${row.distance}`)
	}
if (settings.out) {
	const { blob } = await db.query(
		`copy (select * from items order by id::text collate "C") to '/dev/blob' with (format binary)`)
	writeFileSync(settings.out, Buffer.from(await blob.arrayBuffer()))
}
const { rows } = await db.query(`select id::text as id, metadata from items order by id::text collate "C"`)
writeFileSync(settings.in + '.rows', rows.map(row => JSON.stringify(row) + '\n').join(''))
