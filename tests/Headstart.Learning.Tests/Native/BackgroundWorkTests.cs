using Headstart.Learning.Native;

namespace Headstart.Learning.Tests.Native;

public class BackgroundWorkTests
{
    [Fact]
    public void Only_the_thread_that_asks_lets_others_go_first()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux alone has niceness a thread.");
        int before = Niceness(), inside = before;
        var thread = new Thread(() =>
        {
            BackgroundWork.LowerPriority();
            inside = Niceness();
        });
        thread.Start();
        thread.Join();

        Assert.Equal((Math.Max(before, 10), before), (inside, Niceness()));
    }

    /// <summary>The 19th field of proc_pid_stat(5); the second is a name in brackets.</summary>
    private static int Niceness() => int.Parse(File.ReadAllText("/proc/thread-self/stat").Split(") ")[^1].Split(' ')[16],
        System.Globalization.CultureInfo.InvariantCulture);
}
