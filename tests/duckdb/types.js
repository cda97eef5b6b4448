// types.js LIBRARY < statements - have DuckDB say the type of each statement, TYPE TAB SQL a
// line, and which of its types have none.
const fs = require('fs')
const duckdb = require(process.argv[2])

async function main() {
	const db = await duckdb.open()
	const c = await duckdb.connect(db)
	for (const sql of ['CREATE TABLE t(i INTEGER)', 'CREATE VIEW w AS SELECT 1', 'PREPARE q AS SELECT 1', "ATTACH ':memory:' AS x"])
		await duckdb.query(c, sql)
	const seen = new Set()
	for (const line of fs.readFileSync(0, 'utf8').trimEnd().split('\n')) {
		const [want, sql] = line.split('\t')
		let type
		try {
			const extracted = await duckdb.extract_statements(c, sql)
			const p = await duckdb.prepare_extracted_statement(c, extracted.extracted_statements, 0)
			type = duckdb.StatementType[duckdb.prepared_statement_type(p)]
		} catch (e) {
			type = String(e.message).split('\n')[0]
		}
		console.log([type === want ? 'ok' : 'not', want, type, sql].join('\t'))
		seen.add(type)
	}
	for (const name of Object.keys(duckdb.StatementType))
		if (!/^\d/.test(name) && !seen.has(name))
			console.log('none\t' + name)
}
main()
