// The validator ajv, for comparison.
//
//     node ajv.mjs check <CASES               a line {"schema":S,"data":V}: true or false
//     node ajv.mjs records FILE <RECORDS      by the schema in FILE: {"valid":B} added to each
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import Ajv2020 from 'ajv/dist/2020.js'

const [how, file] = process.argv.slice(2)
const options = { strict: false, validateFormats: false, validateSchema: false, logger: false }
const ajv = new Ajv2020(options)
const lines = createInterface({ input: process.stdin, crlfDelay: Infinity })
let out = ''

const by = how === 'records' ? ajv.compile(JSON.parse(readFileSync(file))) : null
for await (const line of lines) {
	const value = JSON.parse(line)
	if (by)
		out += JSON.stringify({ ...value, valid: by(value) }) + '\n'
	else {
		out += ajv.compile(value.schema)(value.data) + '\n'
		ajv.removeSchema(value.schema)
	}
	if (out.length > 65536) {
		process.stdout.write(out)
		out = ''
	}
}
process.stdout.write(out)
