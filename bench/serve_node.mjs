// A server with lh-serve's routes over the same co-processes, as one would write it in Node:
// node:http, a pool of child processes, a line a request, answers in order.
//     node serve_node.mjs PORT STATE BIN PROCESSES
import http from 'node:http'
import { spawn } from 'node:child_process'

const [port, state, bin, processes] = process.argv.slice(2)

class Filter {
  constructor(argv) {
    this.waiting = []
    this.left = ''
    this.child = spawn(`${bin}/${argv[0]}`, argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
    this.child.stdout.setEncoding('utf8')
    this.child.stdout.on('data', text => {
      const lines = (this.left + text).split('\n')
      this.left = lines.pop()
      for (const line of lines) this.waiting.shift()(line)
    })
  }
  ask(line, done) {
    this.waiting.push(done)
    this.child.stdin.write(line + '\n')
  }
}

const common = ['-j1', '-q', '--progress', 'never', '--on-error', 'emit']
const pool = argv => Array.from({ length: +processes }, () => new Filter(argv))
const routes = {
  'POST /v1/embed': pool(['lh-embed', '--wire', 'go', ...common]),
  'POST /v1/matrix/search': pool(['lh-search', '--wire', '--playbooks', `${state}/playbook`, ...common, `${state}/index`]),
}

http.createServer((request, response) => {
  const route = routes[`${request.method} ${request.url}`]
  if (!route) return response.writeHead(404).end('{"error":"there is no such route"}')
  const parts = []
  request.on('data', part => parts.push(part))
  request.on('end', () => {
    let line
    try {
      line = JSON.stringify(JSON.parse(Buffer.concat(parts).toString()))
    } catch {
      return response.writeHead(400).end('{"error":"not JSON"}')
    }
    const filter = route.reduce((a, b) => (b.waiting.length < a.waiting.length ? b : a))
    filter.ask(line, text => {
      const answer = JSON.parse(text)
      const status = answer.error?.code ?? 200
      const body = answer.error?.code ? JSON.stringify({ error: answer.error.message }) : text
      response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
      response.end(body)
    })
  })
}).listen(+port, '127.0.0.1')
