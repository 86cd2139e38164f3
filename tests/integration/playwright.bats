#!/usr/bin/env bats
# playwright.bats - the article's browser test in a template: Debian's Chromium and ffmpeg, Playwright
# from npm.  Without the browser's own sandbox under the policy default, with it under nested.
load ../lib.sh
load ../templates.sh

setup_file() {
	export KEPT=$BATS_FILE_TMPDIR/browser
}
setup() {
	bawn_setup
	local dir=${BAWN_PLAYWRIGHT:-$BAWN_BUILDDIR/playwright}
	need test -d "$dir/node_modules/@playwright/test" -- "Playwright's npm packages (./bootstrap check)"
	need test -x /usr/lib/chromium/chromium -- "Debian's chromium"
	need command -v ffmpeg -- "ffmpeg"
	PW=$dir/node_modules
	mkdir -p "$XDG_CONFIG_HOME/bawn/profiles"
	printf 'command: [bash]\nexec: true\nsyscalls: nested\n' >"$XDG_CONFIG_HOME/bawn/profiles/nest.yaml"
	template
	cat >"$WS/smoke.spec.mjs" <<-'J'
		import { expect, test } from "@playwright/test";
		test("records video for a trivial browser page", async ({ page }) => {
			await page.setContent("<main><h1>Playwright video smoke</h1></main>");
			await expect(page.getByRole("heading", { name: "Playwright video smoke" })).toBeVisible();
		});
	J
	cat >"$WS/playwright.config.mjs" <<-'J'
		export default { testMatch: "*.spec.mjs", timeout: 120000, projects: [{ name: "chromium", use: {
			browserName: "chromium", video: "on", launchOptions: { executablePath: "/usr/lib/chromium/chromium",
				timeout: 120000, chromiumSandbox: process.env.BROWSER_SANDBOX === "1" } } }] };
	J
	mkdir "$WS/node_modules"
	ln -s /opt/playwright/node_modules/{@playwright,playwright,playwright-core} "$WS/node_modules/"
}
teardown() { bawn_teardown; }

# The template, put together once for the file: its layer is moved in and out, not copied.
template() {
	local node lib revision
	template_layer
	if [ -d "$KEPT" ]; then
		rmdir "$LAYER" && cp -al "$KEPT" "$LAYER"
	else
		template_debian
		node=$(PATH=$BAWN_BUILDDIR/node/bin:$PATH type -P node)
		mkdir -p "$LAYER"/usr/lib/chromium "$LAYER"/etc/fonts "$LAYER"/usr/share/fonts "$LAYER"/opt/playwright
		cp -aL /usr/lib/chromium/. "$LAYER/usr/lib/chromium/"
		cp -aL /etc/fonts/. "$LAYER/etc/fonts/" 2>/dev/null || : # links to what is not installed
		cp -aL /usr/share/fonts/. "$LAYER/usr/share/fonts/" 2>/dev/null || :
		template_libraries /usr/lib/chromium/chromium "$(readlink -f "$node")"
		cp -L "$node" "$LAYER/usr/bin/node"
		template_program ffmpeg
		for lib in /usr/lib/*/{libnss3,libnssckbi,libsoftokn3,libfreebl3,libfreeblpriv3}.so /usr/lib/*/nss/*.so; do
			[ ! -e "$lib" ] || { mkdir -p "$LAYER$(dirname "$lib")" && cp -L "$lib" "$LAYER$lib" && template_libraries "$lib"; }
		done
		cp -a "$PW" "$LAYER/opt/playwright/"
		revision=$(grep -A1 '"name": "ffmpeg"' "$PW/playwright-core/browsers.json" | grep -o '"[0-9]*"' | tr -d '"')
		mkdir -p "$LAYER/ms-playwright/ffmpeg-$revision"
		ln -s /usr/bin/ffmpeg "$LAYER/ms-playwright/ffmpeg-$revision/ffmpeg-linux"
		cp -al "$LAYER" "$KEPT"
	fi
	template_commit playwright 'env PATH=/usr/bin' 'env PLAYWRIGHT_BROWSERS_PATH=/ms-playwright'
}

smoke() { # PROFILE BROWSER-SANDBOX
	run timeout 280 "$BAWN" run --rm -q --offline -e BROWSER_SANDBOX="$2" --template playwright "$1" "$WS" -- \
		node /opt/playwright/node_modules/@playwright/test/cli.js test --reporter=line
}

# A video of this user's, with frames, and these are not blank: it has black text on white.
assert_video() {
	local video frames
	video=$(find "$WS/test-results" -name video.webm)
	[ -O "$video" ] || fail "no video: $(find "$WS/test-results")"
	frames=$(ffprobe -v error -count_frames -select_streams v -show_entries stream=nb_read_frames -of csv=p=0 "$video")
	[ "$frames" -ge 1 ] || fail "$frames frames"
	ffmpeg -v error -sseof -0.2 -i "$video" -update 1 -pix_fmt gray -f rawvideo -y "$T/frame" </dev/null
	[ -s "$T/frame" ] || ffmpeg -v error -i "$video" -update 1 -pix_fmt gray -f rawvideo -y "$T/frame" </dev/null
	python3 - "$T/frame" <<-'P'
		import sys
		d = open(sys.argv[1], "rb").read()
		dark, light = sum(b < 90 for b in d), sum(b > 220 for b in d)
		sys.exit(0 if dark > 50 and light > len(d) // 2 else f"dark {dark}, light {light} of {len(d)}")
	P
}

@test "Playwright's video smoke test, under default without the browser's own sandbox" {
	smoke shell 0
	assert_output "1 passed"
	assert_video
}

@test "Playwright's video smoke test, under nested with it; and default says that it can't" {
	smoke nest 1
	assert_output "1 passed"
	assert_video
	smoke shell 1
	assert_output "No usable sandbox"
	assert_output "1 failed"
}
