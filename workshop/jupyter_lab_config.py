"""JupyterLab as a class has it: the program's commands on the terminal's path, and no news."""

import os
import sysconfig

c = get_config()  # noqa: F821

os.environ["PATH"] = os.pathsep.join((sysconfig.get_path("scripts"), os.environ.get("PATH", "")))
c.LabApp.news_url = None
