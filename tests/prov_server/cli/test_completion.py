"""Completion scripts, asked by a real shell where there is one."""

import shutil
import subprocess

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_a_script_that_calls_prov(prov, shell):
    done = prov("completion", shell)
    assert done.code == 0
    assert f"_PROV_COMPLETE={shell}_complete" in done.out
    assert done.err == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_valid_for_its_shell(prov, shell, tmp_path):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not on this machine")
    script = tmp_path / "script"
    script.write_text(prov("completion", shell).out)
    subprocess.run([program, "-n", str(script)], check=True, timeout=30)


def completed(line: str, environment: dict[str, str], cwd) -> list[str]:
    """What bash offers for a line, by running our script in it."""
    script = f"""
        source <(prov completion bash)
        compopt() {{ :; }}
        COMP_WORDS=({line}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); COMP_LINE='{line}'
        [[ '{line}' == *' ' ]] && {{ COMP_WORDS+=(''); COMP_CWORD=$(( COMP_CWORD + 1 )); }}
        _prov_completion prov; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=cwd, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("prov val", ["validate"]),
        ("prov mcp gen", ["generate"]),
        ("prov generate x --provider a", ["aws", "azure"]),
        ("prov config get server.p", ["server.port"]),
        ("prov mcp install --client cur", ["cursor"]),
        ("prov schema show infra", ["infrastructure"]),
        ("prov mcp toolsets enable --names co", ["core", "config", "cost", "compliance"]),
        ("prov schema show --format ", ["nickel", "json", "fields"]),
    ],
)
def test_bash_is_offered_what_fits(line, offers, environment, workspace):
    assert completed(line, environment, workspace) == offers


def test_completion_works_beside_settings_that_do_not_parse(environment, workspace):
    (workspace / "prov.toml").write_text("not toml [")
    assert completed("prov ini", environment, workspace) == ["init"]
