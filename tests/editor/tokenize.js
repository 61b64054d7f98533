// Tokenizes texts by the TextMate grammar, as VS Code does: a list of [start, scopes] for each text.

'use strict';

const fs = require('fs');
const path = require('path');

const extension = process.argv[2];
const modules = path.join(extension, 'node_modules');
const { Registry, parseRawGrammar, INITIAL } = require(path.join(modules, 'vscode-textmate'));
const oniguruma = require(path.join(modules, 'vscode-oniguruma'));

async function main() {
  const wasm = path.join(modules, 'vscode-oniguruma', 'release', 'onig.wasm');
  await oniguruma.loadWASM(fs.readFileSync(wasm).buffer);
  const file = path.join(extension, 'syntaxes', 'grouper.tmLanguage.json');
  const registry = new Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () => parseRawGrammar(fs.readFileSync(file, 'utf8'), file),
  });
  const grammar = await registry.loadGrammar('source.grouper');
  const { texts } = JSON.parse(fs.readFileSync(0, 'utf8'));
  const all = {};
  for (const [name, text] of Object.entries(texts)) {
    let stack = INITIAL;
    let offset = 0;
    all[name] = [];
    for (const line of text.split('\n')) {
      const found = grammar.tokenizeLine(line, stack);
      for (const token of found.tokens) {
        all[name].push([offset + token.startIndex, offset + token.endIndex, token.scopes.slice(1)]);
      }
      stack = found.ruleStack;
      offset += line.length + 1;
    }
  }
  process.stdout.write(JSON.stringify(all));
}

main();
