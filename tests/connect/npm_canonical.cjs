// Canonical requests by npm atlassian-jwt: JSON lines {method, path, query, base} in, JSON lines out.
// The query goes through node's own parser, as in `fromMethodAndUrl`; the path is handed over as it is,
// because node's address parser would rewrite it first.
const { createCanonicalRequest } = require('atlassian-jwt');
const querystring = require('node:querystring');
const readline = require('node:readline');

readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const { method, path, query, base } = JSON.parse(line);
  const parsed = querystring.parse(query, '&', '=', { maxKeys: 0 });
  console.log(JSON.stringify(createCanonicalRequest({ method, pathname: path, query: parsed }, false, base)));
});
